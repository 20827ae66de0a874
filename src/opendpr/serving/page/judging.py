"""The forms about an answer: right, wrong, or which words of a passage are better."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from urllib.parse import parse_qs, urlsplit

from opendpr.collection.judgements import ShownAnswer
from opendpr.errors import UsageError
from opendpr.improving.judging import AnswerPlace
from opendpr.serving.judging import Judgements, Stored, no_judgements
from opendpr.serving.page.page import Page, local_target, number_in, sent_to
from opendpr.serving.records import AnswerRecord, PassageRecord
from opendpr.serving.service import Service

SAID_BEFORE = "before"
"""What an address has instead of the id of a judgement that was there already: it may be another person's."""
JUDGED = re.compile(rf"[0-9a-f]{{1,64}}|{SAID_BEFORE}")


@dataclass(frozen=True)
class Judging:
    """What the forms about an answer send, beside what is chosen in them."""

    question: str
    next: str
    """Address of the page that shows the answer."""
    passages: Sequence[str]
    """Where better words may be: `start end document` of each passage that is shown."""
    answer: AnswerRecord | None = None
    """The answer that is judged; None where none was found."""
    judged: str = ""
    """Id of the judgement that was made, or `SAID_BEFORE`, where no script showed so."""

    @property
    def can_undo(self) -> bool:
        """Whether the judgement is new."""
        return self.judged != SAID_BEFORE

    @property
    def place(self) -> str:
        """Where the judged words are, as `start end document`."""
        if self.answer is None:
            return ""
        span = self.answer.spans[0]
        return f"{span.start} {span.end} {span.document_id}"


def passage_place(passage: PassageRecord) -> str:
    """Where a passage is, as `start end document`."""
    return f"{passage.start} {passage.end} {passage.document_id}"


class JudgingForms:
    """What becomes of the forms about an answer."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def judge(self, body: bytes, who: str, *, in_place: bool) -> Page:
        """Store what was said of an answer.

        Args:
            in_place: whether a script shows what came of it; otherwise the browser shows the page of the answer again

        Raises:
            UsageError: nothing is judged by this, or the words are not there.
            InputError: the document is gone.
        """
        form, judgements = _fields(body), self._judgements()
        first = {name: values[0] for name, values in form.items()}
        shown = ShownAnswer(first.get("shown", ""), _confidence(first))

        def work() -> Stored:
            place: AnswerPlace | None
            if first.get("verdict") == "better":
                place = judgements.find(first.get("words", ""), [_place(text) for text in form.get("passage", ())])
            else:
                place = judgements.shown_place(_place(first["place"]), shown.text) if first.get("place") else None
            return judgements.judge(first.get("question", ""), first.get("verdict", ""), place, shown=shown, who=who)

        record, is_new = await asyncio.to_thread(work)
        if in_place:
            return _json(json.dumps(asdict(record), ensure_ascii=False), 201 if is_new else 200)
        return sent_to(_judged_target(first.get("next", "/"), record.id if is_new else SAID_BEFORE))

    async def take_back(self, body: bytes, who: str, *, in_place: bool) -> Page:
        """Forget what was said of an answer; raises as `Judgements.remove`."""
        form, judgements = _fields(body), self._judgements()
        await asyncio.to_thread(judgements.remove, form.get("id", [""])[0], who)
        return _json("{}", 200) if in_place else sent_to(local_target(form.get("next", ["/"])[0]))

    def _judgements(self) -> Judgements:
        if self._service.judgements is None:
            raise UsageError(no_judgements(self._service.settings.collection))
        return self._service.judgements


def _fields(body: bytes) -> dict[str, list[str]]:
    """The fields of a form, with the line ends of a text: a browser sends all of them as CR LF."""
    form = parse_qs(body.decode("utf-8", "replace"))
    return {name: [value.replace("\r\n", "\n") for value in values] for name, values in form.items()}


def _judged_target(target: str, judged: str) -> str:
    """The address of a page of this site that shows what was judged."""
    parts = urlsplit(local_target(target))
    query = f"{parts.query}&judged={judged}" if parts.query else f"judged={judged}"
    return parts._replace(query=query, fragment="judging").geturl()


def _json(text: str, status: int) -> Page:
    return Page(text.encode("utf-8", "replace"), status, {"Content-Type": "application/json"})


def _confidence(form: Mapping[str, str]) -> float:
    text = form.get("confidence", "0")
    if not re.fullmatch(r"[01](\.\d{1,6})?", text):
        raise UsageError(f"a confidence is a number from 0 to 1, got {text[:20]!r}")
    return float(text)


def _place(text: str) -> AnswerPlace:
    """The place that a form sends as `start end document`."""
    start, _, rest = text.partition(" ")
    end, _, document = rest.partition(" ")
    offsets = {"start": start, "end": end}
    return AnswerPlace(document, number_in(offsets, "start") or 0, number_in(offsets, "end") or 0)
