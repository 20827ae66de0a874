"""The main job on real text: five questions to the language reference that every CPython carries.

The questions were written down before they were ever asked; "the loop" was counted as right later. All five answers
are printed, right or wrong; fewer than three right ones is a failure. They are asked of the folder as it is: the first
is answered before all of it is encoded.
"""

from __future__ import annotations

import json
import os
import pydoc_data.topics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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
    """Ask, print, count; returns the exit code. The documents stay in the folder."""
    documents = folder / "python-reference"
    documents.mkdir(parents=True, exist_ok=True)
    for topic, text in sorted(pydoc_data.topics.topics.items()):
        (documents / f"{topic}.txt").write_text(text, encoding="utf-8", newline="")
    first, *others = QUESTIONS
    typed = folder / "questions.txt"
    typed.write_text("".join(f"{question}\n" for question in others), encoding="utf-8")
    started = time.monotonic()
    print(f'$ opendpr ask {documents} --json "{first}"')
    (outcome,) = ask(documents, first)
    right = show(outcome)
    print(f"the first answer took {time.monotonic() - started:.1f} s\n")
    print(f"$ opendpr ask {documents} --json - < {typed}")
    right += sum(map(show, ask(documents, "-", typed)))
    print(f"\n{right} of {len(QUESTIONS)} right, {time.monotonic() - started:.0f} s in all")
    print("What was indexed:     .venv/bin/opendpr cache   (kept for the next question; --clear removes it)")
    print("Now your own files:   .venv/bin/opendpr ask FOLDER 'your question?'")
    print(f"Or ask at a page:     .venv/bin/opendpr serve {documents}   and open http://127.0.0.1:8000")
    return 0 if right >= ENOUGH else 1


def ask(documents: Path, question: str, typed: Path = Path(os.devnull)) -> Iterator[dict[str, Any]]:
    """The outcomes that `opendpr ask --json` prints, each as soon as it is there; `-` asks the lines of a file."""
    command = [sys.executable, "-m", "opendpr", "ask", str(documents), "--json", question]
    with (
        typed.open() as lines,
        subprocess.Popen(command, stdin=lines, stdout=subprocess.PIPE, encoding="utf-8") as process,
    ):
        assert process.stdout
        yield from map(json.loads, process.stdout)
    if process.returncode:
        sys.exit(process.returncode)


def show(outcome: dict[str, Any]) -> bool:
    """Print answer and source; returns whether the answer is one of those expected."""
    question = outcome["question"]
    if not outcome["answers"]:
        print(f"\n{question}\nno answer found")
        return False
    answer = outcome["answers"][0]
    span, passage = answer["spans"][0], answer["spans"][0]["passage"]
    right = normalize_answer(answer["text"]) in {normalize_answer(text) for text in QUESTIONS[question]}
    around = passage["text"][max(0, span["start"] - passage["start"] - 60) :][: 120 + len(answer["text"])]
    nearest = "" if outcome["answerable"] else "no answer found; the nearest sentence is: "
    print(f"\n{question}")
    print(f"{nearest}{answer['text']}   (confidence {answer['confidence']:.2f})   [{'right' if right else 'WRONG'}]")
    print(f"  {passage['document_id']}, characters {span['start']}-{span['end']}: … {' '.join(around.split())} …")
    return right


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
