"""The commands of docs/paper.md are commands that there are, with options that they have."""

from __future__ import annotations

import re
import shlex
from importlib import import_module

import pytest
from experiments.common.catalogue import CatalogueError, read_catalogue
from experiments.common.command import ROOT
from experiments.common.tables import quality_sets_of

PAGE = (ROOT / "docs" / "paper.md").read_text(encoding="utf-8")
REFERENCE = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
OURS = sorted(
    set(re.findall(r"(?:opendpr|-m opendpr) ((?:add|mine|train|encode|optimize|evaluate|import) [^`\n]*)", PAGE))
)
SCRIPTS = sorted(set(re.findall(r"python -m experiments\.([^`\n]*)", PAGE)))


@pytest.mark.parametrize("command", OURS)
def test_the_reference_has_every_option_of_a_command(command: str) -> None:
    words = shlex.split(command)
    verb = " ".join(words[:2] if words[0] in ("train", "import") else words[:1])
    (section,) = re.findall(rf"^## opendpr {verb}\n(.*?)(?=^## )", REFERENCE, re.DOTALL | re.MULTILINE)
    for option in (word for word in words if word.startswith("-")):
        assert re.search(rf"(?<![\w-]){option}(?![\w-])", section), f"opendpr {verb} has no {option}"


@pytest.mark.parametrize("command", SCRIPTS)
@pytest.mark.filterwarnings("default")
def test_a_script_has_every_option_of_its_command(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    name, *words = shlex.split(command)
    with pytest.raises(SystemExit, match="0"):
        import_module(f"experiments.{name}").main(["--help"])
    shown = capsys.readouterr().out
    for option in (word for word in words if word.startswith("-")):
        assert option in shown


def test_make_paper_measures_the_quality_that_the_page_shows_and_no_speed() -> None:
    names = quality_sets_of("docs/paper.md", read_catalogue())
    assert {"compare", "evaluate", "ablations", "drqa"} <= set(names)
    assert "scale" not in names


def test_a_page_without_tables_is_refused() -> None:
    with pytest.raises(CatalogueError, match=r"docs/none\.md has no table"):
        quality_sets_of("docs/none.md", read_catalogue())
