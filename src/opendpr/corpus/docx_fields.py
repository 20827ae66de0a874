"""Fields of a Word document: their instructions are not text, but the values of form fields are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from opendpr.corpus.office import OFF_VALUES, whole

TICKED, NOT_TICKED = "\u2612", "\u2610"


@dataclass(slots=True)
class WordField:
    """A field that has begun."""

    instructed: bool = True
    """Whether its instructions go on; they may hold other fields with results."""
    kind: str = ""
    """`checkBox` or `ddList`, for those fields of forms whose value is no text."""
    chosen: dict[str, str] = field(default_factory=dict)
    entries: list[str] = field(default_factory=list)

    def value(self) -> str:
        """What a field of a form shows, if that is not in the text."""
        if self.kind == "checkBox":
            return (
                TICKED if self.chosen.get("checked", self.chosen.get("default", "0")) not in OFF_VALUES else NOT_TICKED
            )
        number = whole(self.chosen.get("result", self.chosen.get("default", "")))
        return self.entries[number] if self.kind == "ddList" and number < len(self.entries) else ""


class Fields:
    """The fields that a place in the text lies in."""

    def __init__(self) -> None:
        self._open: list[WordField] = []

    def are_instructed(self) -> bool:
        """Whether what comes is an instruction to Word."""
        return any(field.instructed for field in self._open)

    def character(self, kind: str) -> str:
        """Take the sign that begins, separates or ends a field; returns what a field that ends shows."""
        if kind == "begin":
            self._open.append(WordField())
        elif self._open and kind == "separate":
            self._open[-1].instructed = False
        elif self._open and kind == "end":
            return self._open.pop().value()
        return ""

    def form(self, local: str, attributes: Mapping[str, str]) -> None:
        """Take what an element says of the field of a form that has just begun."""
        if not self._open:
            return
        if local in ("checkBox", "ddList"):
            self._open[-1].kind = local
        elif local in ("checked", "default", "result"):
            self._open[-1].chosen[local] = attributes.get("val", "1")
        elif local == "listEntry":
            self._open[-1].entries.append(attributes.get("val", ""))

    def end_paragraph(self) -> None:
        """No instructions go on in the next paragraph: where one does not end, the rest of the text would be lost."""
        for open_field in self._open:
            open_field.instructed = False


@dataclass(slots=True)
class Control:
    """A content control that has begun."""

    last: str = ""
    """The value of the entry that was chosen."""
    entries: dict[str, str] = field(default_factory=dict)
    is_empty: bool = True
    """Whether no text of it has come yet."""
    prompts: bool = False
    """Whether its text only says what to put there."""

    def property(self, local: str, attributes: Mapping[str, str]) -> None:
        """Take what an element says of the control."""
        if local == "showingPlcHdr":
            self.prompts = attributes.get("val", "1") not in OFF_VALUES
        elif local in ("dropDownList", "comboBox"):
            self.last = attributes.get("lastValue", "")
        elif local == "listItem":
            self.entries[attributes.get("value", "")] = attributes.get("displayText", attributes.get("value", ""))

    def value(self) -> str:
        """The entry that was chosen, if it is not in the text."""
        return self.entries.get(self.last, "") if self.is_empty and not self.prompts else ""
