"""A better model made at the service: started, watched, judged, applied and undone by HTTP and at the page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from opendpr.collection import open_collection
from opendpr.improving.judging import add_files
from opendpr.model.directory import find_model
from served import Served, serving
from ships import SHIPS, answer_all_rightly, make_harbour, write_judged

SEARCH = {"question": "How long is the ship number 5?", "k": 1, "retriever": "hybrid"}
FORM = "application/x-www-form-urlencoded"
WRITER, READER = "a-token-that-writes", "a-token-that-only-reads"


@pytest.fixture
def harbour(tmp_path: Path, tiny_model: Path) -> Path:
    """A register of ships with a judged question about each."""
    make_harbour(tmp_path / "harbour", tiny_model)
    add_files(tmp_path / "harbour", [write_judged(tmp_path / "judged.jsonl")])
    return tmp_path / "harbour"


@pytest.fixture
def improving(harbour: Path, serve_environment: dict[str, str]) -> Iterator[Served]:
    with serving(harbour, "--writable", environment=serve_environment) as served:
        yield served


def model_of(collection: Path) -> str:
    with open_collection(collection) as opened:
        return opened.require_encoder().model


def send(served: Served, path: str, fields: object = (), **headers: str) -> Any:
    body = urlencode(fields, doseq=True).encode()  # type: ignore[arg-type]
    return served.ask("POST", path, body, **{"Origin": served.url, "Content_Type": FORM, **headers})


def weight_in_use(served: Served) -> float:
    """The lambda that the best passage was found with."""
    [passage] = served.ask("POST", "/v1/search", SEARCH).json["passages"]
    return float((passage["score"] - passage["parts"]["bm25"]) / passage["parts"]["dense"])


def test_an_improvement_is_made_judged_applied_and_undone_without_a_restart(improving: Served, harbour: Path) -> None:
    before = model_of(harbour)
    status = improving.ask("GET", "/v1/improvements").json
    assert (status["judged"], status["usable"], status["missing"], status["latest"]) == (SHIPS + 1, SHIPS + 1, "", None)
    assert status["learned"] + status["apart"] == SHIPS + 1
    started = improving.ask("POST", "/v1/improvements")
    assert (started.status, started.json["kind"]) == (202, "improve")
    assert started.headers["Location"] == f"/v1/jobs/{started.json['id']}"
    weight = weight_in_use(improving)
    assert weight == pytest.approx(find_model(before).hybrid_weight, rel=1e-3)
    events = improving.ask("GET", f"/v1/jobs/{started.json['id']}/events").body.decode()
    stages = [json.loads(event.removeprefix("data: "))["stage"] for event in events.strip().split("\n\n")]
    assert {"judging before", "judging after"} & set(stages)
    done = improving.wait(started.json)
    assert done["state"] == "done", done
    made = improving.ask("GET", f"/v1/improvements/{done['improvement']}").json
    assert made == improving.ask("GET", "/v1/improvements").json["latest"]
    assert (made["state"], made["before"], made["is_better"], made["can_apply"]) == ("done", before, False, False)
    assert made["learned"] + made["apart"] == SHIPS + 1
    assert made["exact_match"]["low"] <= made["exact_match"]["mean"] <= made["exact_match"]["high"]
    refused = improving.ask("POST", f"/v1/improvements/{made['id']}/apply")
    assert refused.status == 409 and "is not shown to be better" in refused.json["detail"]
    assert model_of(harbour) == before

    answer_all_rightly(harbour.with_name("harbour-improved"))
    again = improving.wait(improving.ask("POST", "/v1/improvements").json)
    assert again["improvement"] == made["id"]
    assert improving.ask("GET", f"/v1/improvements/{made['id']}").json["can_apply"] is True
    assert improving.ask("POST", f"/v1/improvements/{made['id']}/undo").status == 409
    applied = improving.wait(improving.ask("POST", f"/v1/improvements/{made['id']}/apply").json)
    assert (applied["state"], applied["improvement"]) == ("done", made["id"])
    assert model_of(harbour) == str(harbour.with_name("harbour-improved"))
    assert improving.ask("GET", f"/v1/improvements/{made['id']}").json["is_applied"] is True
    assert improving.ask("POST", f"/v1/improvements/{made['id']}/apply").status == 409
    assert improving.ask("GET", "/v1/info").json["model"] == model_of(harbour)
    other = find_model(model_of(harbour)).hybrid_weight
    assert other != pytest.approx(weight, rel=1e-2)
    assert weight_in_use(improving) == pytest.approx(other, rel=1e-3)
    undone = improving.wait(improving.ask("POST", f"/v1/improvements/{made['id']}/undo").json)
    assert (undone["state"], model_of(harbour)) == ("done", before)
    assert weight_in_use(improving) == pytest.approx(weight, rel=1e-3)
