"""`.gitignore` by git's own rules."""

from __future__ import annotations

import pytest

from opendpr.corpus.gitignore import is_left_out, parsed, rules_above
from opendpr.corpus.walk import Walk


@pytest.mark.parametrize(
    ("line", "left_out", "kept"),
    [
        ("*.log", ["a.log", "b/a.log"], ["a.log.txt"]),
        ("/build", ["build"], ["b/build"]),
        ("docs/*.txt", ["docs/a.txt"], ["docs/b/a.txt", "x/docs/a.txt"]),
        ("**/tmp", ["tmp", "a/b/tmp"], ["tmp1"]),
        ("a/**/b", ["a/b", "a/x/y/b"], ["b"]),
        ("a/**", ["a/b", "a/b/c"], ["a"]),
        ("file[0-9].txt", ["file3.txt"], ["filex.txt"]),
        ("file[!0-9].txt", ["filex.txt"], ["file3.txt"]),
        ("\\#x", ["#x"], ["x"]),
        ("a?c ", ["abc"], ["a/c", "ac"]),
    ],
)
def test_patterns_match_what_git_matches(line, left_out, kept):
    rule = parsed(line, "")
    assert rule is not None
    assert all(is_left_out([rule], name, is_folder=False) for name in left_out)
    assert not any(is_left_out([rule], name, is_folder=False) for name in kept)


def test_the_last_rule_that_matches_counts_and_some_are_for_folders_only():
    rules = [rule for line in ("*.md", "!keep.md", "out/") if (rule := parsed(line, ""))]
    assert is_left_out(rules, "a.md", is_folder=False)
    assert not is_left_out(rules, "keep.md", is_folder=False)
    assert is_left_out(rules, "out", is_folder=True)
    assert not is_left_out(rules, "out", is_folder=False)


@pytest.mark.parametrize("line", ["", "# comment", "   ", "*" * 20, "["])
def test_lines_that_mean_nothing_are_passed_over(line):
    rule = parsed(line, "")
    assert rule is None or not is_left_out([rule], "a", is_folder=False)


def test_rules_of_the_folders_above_count_inside_a_repository(tmp_path):
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text("docs/private\n*.tmp\n")
    folder = tmp_path / "docs"
    (folder / "private").mkdir(parents=True)
    for name in ("a.txt", "b.tmp", "private/c.txt"):
        (folder / name).write_text("x")
    assert list(Walk(folder)) == ["a.txt"]
    assert len(rules_above(folder)) == 2
    (tmp_path / ".git").rmdir()
    assert list(Walk(folder)) == ["a.txt", "b.tmp", "private/c.txt"]
