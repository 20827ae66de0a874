"""The name of an option or a parameter and its value stay in one passage, in whatever way they are written."""

from __future__ import annotations

from pathlib import Path

import pytest

from opendpr.corpus import Corpus
from opendpr.text.splitting import Splitter

ENTRIES = range(60)
ABOUT = "It holds for every ship that calls at the harbour, and is read when the office opens in the morning."
LISTS = {
    "terms.html": ("<dl>", '<dt id="p{0}">parameter_{0}</dt><dd><p>Default: {0} days.</p><p>{1}</p></dd>', "</dl>"),
    "rows.html": ("<table>", "<tr><td>parameter_{0}</td><td>Default: {0} days.</td><td>{1}</td></tr>", "</table>"),
    "terms.rst": ("", "parameter_{0}\n    Default: {0} days.\n    {1}\n\n", ""),
    "table.md": ("| name | value | about |\n|---|---|---|\n", "| parameter_{0} | Default: {0} days. | {1} |\n", ""),
    "man.1": (".TH X 1\n.SH OPTIONS\n", ".TP\n.B parameter_{0}\nDefault: {0} days.\n{1}\n", ""),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_name_and_its_value_are_in_one_passage(tmp_path: Path, name: str) -> None:
    before, entry, after = LISTS[name]
    (tmp_path / name).write_text(before + "".join(entry.format(n, ABOUT) for n in ENTRIES) + after)
    (document,) = Corpus([tmp_path / name])
    spans = Splitter(words=50, unit="structure").split(document.text)
    passages = [document.text[start:end] for start, end in spans]
    for n in ENTRIES:
        assert any(f"parameter_{n}" in passage and f"Default: {n} days." in passage for passage in passages)
