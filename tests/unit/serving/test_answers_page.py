"""The page of a question says what its answer could not be read from."""

from __future__ import annotations

from opendpr.serving.page.answers import Form, answers_page
from opendpr.serving.records import AskRecord, InfoRecord

INFO = InfoRecord("1", "towns", "c", 1, 2, 2, 0, "model", "f", True, False, ["hybrid"], [], {})


def test_servers_that_did_not_answer_are_named():
    whole = AskRecord("Who?", "hybrid", 1, False, [], [])
    part = AskRecord("Who?", "hybrid", 1, False, [], [], ["db2.example.org:5432"])
    assert "db2.example.org:5432" in answers_page(Form("Who?"), INFO, part)
    assert "cannot be found" not in answers_page(Form("Who?"), INFO, whole)
