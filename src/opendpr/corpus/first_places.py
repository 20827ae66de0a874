"""Which ids were given, and where: in a temporary file, so that memory does not grow with the corpus."""

from __future__ import annotations

import apsw

from opendpr.errors import ResourceError

CACHE_KIBIBYTES = 16_384
"""Held in memory; what is more goes to a file without a name in the system's directory for such."""


class FirstPlaces:
    """Remembers the first place of each id. Close it after use."""

    def __init__(self) -> None:
        self._connection = apsw.Connection("")
        self._connection.execute(
            f"PRAGMA journal_mode=OFF; PRAGMA temp_store=FILE; PRAGMA cache_size=-{CACHE_KIBIBYTES};"
            "CREATE TABLE places(id TEXT PRIMARY KEY, place TEXT NOT NULL) WITHOUT ROWID; BEGIN"
        ).fetchall()  # apsw stops at the first row, which a PRAGMA gives

    def claim(self, id: str, place: str) -> str | None:
        """Note the place of an id; returns the place that had it before, None if none had.

        Raises:
            ResourceError: the temporary file does not fit on the disk.
        """
        try:
            self._connection.execute("INSERT OR IGNORE INTO places VALUES(?, ?)", (id, place))
        except (apsw.FullError, apsw.IOError) as error:
            raise ResourceError(
                f"the ids of the documents do not fit into a temporary file ({error}); free some space in the "
                "directory for such files, or name another with SQLITE_TMPDIR"
            ) from None
        if self._connection.changes():
            return None
        return str(self._connection.execute("SELECT place FROM places WHERE id = ?", (id,)).get)

    def close(self) -> None:
        self._connection.close()
