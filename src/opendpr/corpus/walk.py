"""The files of a folder, without those that nobody wrote for readers: hidden, ignored by git, made by programs."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from opendpr.corpus.gitignore import Rule, is_left_out, rules_above, rules_in

HIDDEN_REASON = "hidden file or folder"
GITIGNORED_REASON = "named in .gitignore"
PACKAGES_REASON = "folder of installed packages"
LOCK_FILE_REASON = "lock file of an office program"
DIRECTORY_LINK = "directory link"
LEFT_OUT = (HIDDEN_REASON, GITIGNORED_REASON, PACKAGES_REASON, LOCK_FILE_REASON)
"""What `Walk.left_out` calls what `all_files` would take."""
PACKAGE_FOLDERS = frozenset(("node_modules", "__pycache__", "site-packages", "bower_components"))


class Walk:
    """The files below a directory, by path relative to it, sorted.

    Args:
        all_files: leave out nothing but symbolic links to directories

    Attributes:
        left_out: how many files and folders were left out, by the reason
        errors: directories that could not be listed, and why
    """

    def __init__(self, directory: Path, *, all_files: bool = False) -> None:
        self._directory, self._all = directory, all_files
        self.left_out: Counter[str] = Counter()
        self.errors: list[tuple[Path, OSError]] = []

    def __iter__(self) -> Iterator[str]:
        pending = [""]  # relative POSIX paths, the next one last; those of directories end in a slash
        rules: dict[str, list[Rule]] = {"": [] if self._all else rules_above(self._directory)}
        while pending:
            name = pending.pop()
            if name and not name.endswith("/"):
                yield name
                continue
            path, inherited = self._directory / name, rules.pop(name)
            own = inherited if self._all else [*inherited, *rules_in(path, name)]
            try:
                children = sorted(self._children(path, name, own), reverse=True)
            except OSError as error:
                self.errors.append((path, error))
                continue
            rules.update((child, own) for child in children if child.endswith("/"))
            pending += children

    def _children(self, path: Path, prefix: str, rules: list[Rule]) -> Iterator[str]:
        """The names in a directory after `prefix` that are not left out; those of directories end in a slash."""
        with os.scandir(path) as entries:
            for entry in entries:
                is_folder = entry.is_dir(follow_symlinks=False)
                name = prefix + entry.name
                if reason := self._reason(entry, name, rules, is_folder=is_folder):
                    self.left_out[reason] += 1
                else:
                    yield f"{name}/" if is_folder else name

    def _reason(self, entry: os.DirEntry[str], name: str, rules: list[Rule], *, is_folder: bool) -> str:
        """Why an entry is left out; nothing if it is not."""
        if entry.is_symlink() and os.path.isdir(entry.path):
            return DIRECTORY_LINK
        if self._all:
            return ""
        if entry.name.startswith("."):
            return HIDDEN_REASON
        if entry.name.startswith("~$"):
            return LOCK_FILE_REASON
        if is_folder and entry.name in PACKAGE_FOLDERS:
            return PACKAGES_REASON
        return GITIGNORED_REASON if rules and is_left_out(rules, name, is_folder=is_folder) else ""
