"""The process that runs parsers: `python -m opendpr.corpus.child MEMORY_BYTES`, held by `sandbox.py`.

It says `ready`, then answers each line of JSON on standard input (`kind`, `path`, `seconds`) with a line of JSON on
standard output: an `error`, or `problems` and `documents`, each with `title`, `metadata` and `bytes`, followed by that
many bytes of text of one after the other.
The kernel holds it to its memory and its time; it writes no file.
"""

from __future__ import annotations

import io
import json
import logging
import os
import signal
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from opendpr.corpus.docx import parse_docx
from opendpr.corpus.epub import parse_epub
from opendpr.corpus.extract import UNPACKED_BYTES, Extract, NotReadError, check_unpacked
from opendpr.corpus.html import parse_html, parse_whole_html
from opendpr.corpus.mail import parse_mail, parse_mailbox
from opendpr.corpus.man import parse_man
from opendpr.corpus.notebook import parse_notebook
from opendpr.corpus.opendocument import parse_opendocument
from opendpr.corpus.pdf import parse_pdf
from opendpr.corpus.pptx import parse_pptx
from opendpr.corpus.rtf import parse_rtf
from opendpr.corpus.source import TEXT_BYTES, TOO_LONG
from opendpr.corpus.subtitles import parse_subtitles
from opendpr.corpus.xlsx import parse_xlsx
from opendpr.corpus.xml_text import parse_xml_text
from opendpr.storage.compression import READ_ERRORS, open_binary, reason, uncompressed_name

PARSER_MODULES: Mapping[str, Callable[[IO[bytes]], Extract | list[Extract]]] = {
    "html": parse_html,
    "html with menus": parse_whole_html,
    "pdf": parse_pdf,
    "docx": parse_docx,
    "epub": parse_epub,
    "mail": parse_mail,
    "mailbox": parse_mailbox,
    "man": parse_man,
    "notebook": parse_notebook,
    "opendocument": parse_opendocument,
    "pptx": parse_pptx,
    "rtf": parse_rtf,
    "subtitles": parse_subtitles,
    "xlsx": parse_xlsx,
    "xml": parse_xml_text,
}
"""A list is of documents of their own, as the mails of a mailbox."""


def main() -> None:
    """Answer until standard input ends."""
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not get between the answers
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to end
    logging.disable()
    warnings.simplefilter("ignore")
    limit_memory(int(sys.argv[1]))
    answers.write(b"ready\n")
    answers.flush()
    for line in requests:
        request = json.loads(line)
        limit_time(request["seconds"])
        text = b""
        try:
            answer, text = answered(parse(request["kind"], Path(request["path"])))
        except MemoryError:
            answers.write(b'{"error": "memory"}\n')
            answers.flush()
            return  # a new process begins with all of its memory
        except Exception as error:  # noqa: BLE001 - whatever a crafted file makes a parser raise costs only that file
            text, answer = b"", {"error": reason_for(error)}
        answers.write(json.dumps(answer).encode() + b"\n" + text)
        answers.flush()


def answered(parsed: Extract | list[Extract]) -> tuple[dict[str, object], bytes]:
    """What the parent is sent: a description of the documents, and their texts one after the other."""
    extracts = parsed if isinstance(parsed, list) else [parsed]
    texts = [extract.text.encode() for extract in extracts]
    if sum(map(len, texts)) > TEXT_BYTES:
        raise NotReadError(TOO_LONG)
    documents = [
        {"title": extract.title, "metadata": dict(extract.metadata), "bytes": len(text)}
        for extract, text in zip(extracts, texts, strict=True)
    ]
    problems = [problem for extract in extracts for problem in extract.problems]
    return {"documents": documents, "numbered": isinstance(parsed, list), "problems": problems}, b"".join(texts)


def parse(kind: str, path: Path) -> Extract | list[Extract]:
    """Read a file with the parser of its kind; one that is compressed is unpacked first, to allow for seeking."""
    with open_binary(path) as file:
        if uncompressed_name(path) == path:
            return PARSER_MODULES[kind](file)
        data = file.read(UNPACKED_BYTES + 1)
    check_unpacked(len(data))
    return PARSER_MODULES[kind](io.BytesIO(data))


def reason_for(error: Exception) -> str:
    """The reason a user is given."""
    if isinstance(error, NotReadError):
        return str(error)
    if isinstance(error, READ_ERRORS):
        return f"cannot be read: {reason(error)}"
    if isinstance(error, RecursionError):
        return "nested too deeply"
    return f"damaged? {type(error).__name__}: {error}"[:300]


def limit_memory(limit: int) -> None:
    """Let the kernel refuse more memory, and any writing to files."""
    try:
        import resource
    except ImportError:
        return  # not on Windows
    for kind, wanted in ((resource.RLIMIT_AS, limit), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0)):
        hard = resource.getrlimit(kind)[1]
        wanted = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(kind, (wanted, wanted))


def limit_time(seconds: float) -> None:
    """Let the kernel end the process when it has used this much time from now on, even if its parent is gone."""
    try:
        import resource
    except ImportError:
        return
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    wanted = int(time.process_time() + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))


if __name__ == "__main__":
    main()
