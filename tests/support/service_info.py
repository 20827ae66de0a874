"""What a service says of a small collection."""

from __future__ import annotations

from opendpr.serving.records import InfoRecord

INFO = InfoRecord("1", "towns", "c", 1, 2, 2, 0, "model", "f", True, False, ["hybrid"], [], {})
