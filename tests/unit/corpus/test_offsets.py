"""Offsets lead to the same words: from any place of any passage through `show`, in files of every kind."""

from __future__ import annotations

import csv
import io
import json
import random
from pathlib import Path

import pytest

from corpora import read_corpus
from opendpr.collection import open_collection, open_writer
from opendpr.corpus import READERS, Corpus
from opendpr.storage.compression import COMPRESSED
from opendpr.text.splitting import Splitter
from samples import docx, epub, notebook, odt, paragraph, pdf, pptx, workbook

WORDS = [
    "letter",
    "Zürich",
    "naïve",
    "e\u0301t\u0301e\u0301",
    "漢字",
    "ไทย",
    "שלום",
    "👩‍👩‍👧",
    "𝒳",
    "a&b",
    "x<y",
    "“quoted”",
]
LATIN = ["letter", "answer", "May", "Anna", "Berta", "house", "river"]
SPLITTERS = [Splitter(words=20), Splitter(words=13, overlap=5), Splitter(words=20, last="fill"), Splitter(unit="whole")]
CASES = [pytest.param(2_000, 4, id="2,000"), pytest.param(10_000, 36, id="10,000", marks=pytest.mark.slow)]


def prose(generator: random.Random, words: list[str] = WORDS) -> str:
    """Words with all kinds of white space between them."""
    count = generator.randrange(40, 120)
    return "".join(generator.choice(words) + generator.choice([" ", " ", "  ", "\n", "\n\n"]) for _ in range(count))


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def lines(*records: dict[str, str]) -> bytes:
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def table(separator: str, *records: dict[str, str]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(records[0]), delimiter=separator)
    writer.writeheader()
    writer.writerows(records)
    return out.getvalue().encode()


def files(generator: random.Random, prefix: str) -> dict[str, tuple[bytes, dict[str, str], bool]]:
    """By name: content, the text of each document in it by id, and whether its white space stays as it is."""
    made: dict[str, tuple[bytes, dict[str, str], bool]] = {}
    for name in ("a.txt", "a.text", "a.rst", "a.md", "a.markdown", "a.mdown", "a.mkd", "a.mdx", "a.qmd", "a.rmd"):
        text = prose(generator)
        made[name] = text.encode(), {name: text}, True
    for name in ("a.html", "a.htm", "a.xhtml"):
        text = prose(generator)
        made[name] = f"<meta charset=utf-8><p>{escaped(text)}</p>".encode(), {name: text}, False
    text = prose(generator)
    made["a.docx"] = docx("".join(map(paragraph, escaped(text).split()))), {"a.docx": text}, False
    pages = [escaped(prose(generator)) for _ in range(2)]
    book = epub({f"{number}.xhtml": f"<p>{page}</p>" for number, page in enumerate(pages)})
    made["a.epub"] = book, {"a.epub": " ".join(pages).replace("&lt;", "<").replace("&amp;", "&")}, False
    for name in ("a.docm", "a.odt", "a.odp", "a.ods", "a.rtf", "a.ipynb", "a.pptx", "a.srt", "a.vtt", "a.xml", "a.eml"):
        text = " ".join(prose(generator, LATIN).split()[:40])
        made[name] = office(name, text), {name: text}, False
    for name in ("a.xlsx", "a.xlsm", "a.mbox"):
        text = " ".join(prose(generator, LATIN).split()[:40])
        made[name] = office(name, text), {f"{name}:1": text}, False
    pages = [" ".join(prose(generator, LATIN).split()[:40]) for _ in range(3)]
    made["a.pdf"] = pdf(pages), {"a.pdf": " ".join(pages)}, False
    for name, separator in (("a.csv", ","), ("a.tsv", "\t"), ("psgs_w100.tsv", "\t")):
        records = [{"id": f"{prefix}{name} {n}", "text": prose(generator), "title": "T"} for n in range(2)]
        made[name] = table(separator, *records), {record["id"]: record["text"] for record in records}, True
    for name in ("a.jsonl", "a.ndjson", "wiki_00"):
        records = [{"id": f"{prefix}{name} {n}", "url": "u", "title": "T", "text": prose(generator)} for n in range(2)]
        made[name] = lines(*records), {record["id"]: record["text"] for record in records}, True
    return made


def office(name: str, text: str) -> bytes:
    """A file of a kind that takes a parser, with this text."""
    kind = Path(name).suffix[1:]
    if kind in ("xlsx", "xlsm"):
        return workbook([[text]])
    captions = f"00:00:01,000 --> 00:00:02,000\n{text}\n"
    return {
        "docm": lambda: docx(paragraph(text)),
        "rtf": lambda: (rf"{{\rtf1\ansi {text}\par}}").encode(),
        "ipynb": lambda: notebook(("markdown", text)),
        "pptx": lambda: pptx([text]),
        "srt": lambda: f"1\n{captions}".encode(),
        "vtt": lambda: f"WEBVTT\n\n{captions}".encode(),
        "xml": lambda: f"<p>{text}</p>".encode(),
        "eml": lambda: f"X-Mailer: x\n\n{text}\n".encode(),
        "mbox": lambda: f"From a@b Mon Jan  6 10:00:00 2020\nX-Mailer: x\n\n{text}\n".encode(),
    }.get(kind, lambda: odt(f"<text:p>{text}</text:p>"))()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, tuple[str, bool]]]:
    """Files of every kind, plain and compressed in turn; and what their documents should say."""
    directory, generator = tmp_path_factory.mktemp("files"), random.Random(0)
    expected: dict[str, tuple[str, bool]] = {}
    for number, ending in enumerate(["", *COMPRESSED]):
        for name, (content, texts, exact) in files(generator, f"{number} ").items():
            path = directory / str(number) / (name + ending)
            path.parent.mkdir(exist_ok=True)
            with COMPRESSED.get(ending, open)(path, "wb") as file:
                file.write(content)
            for id, text in texts.items():
                outer = id.replace(name, f"{number}/{name}{ending}") if id in (name, f"{name}:1") else id
                expected[outer] = (text, exact)
    return directory, expected


def test_every_kind_of_file_is_tried():
    made = files(random.Random(0), "")
    assert {Path(name).suffix for name in made} >= READERS.keys()


@pytest.mark.parametrize(("spans", "shown"), CASES)
def test_random_spans_lead_to_the_same_words_through_show(folder, tmp_path, run, spans, shown):
    directory, expected = folder
    generator = random.Random(1)
    events = read_corpus(Corpus([directory]))
    documents = events.documents
    assert events.skipped == []
    assert {document.id for document in documents} == expected.keys()
    commands = []
    for number, splitter in enumerate(SPLITTERS):
        with open_writer(tmp_path / str(number), splitter) as writer:
            writer.put_documents(documents)
        with open_collection(tmp_path / str(number)) as collection:
            passages = list(collection.passages_after(0))
            for _ in range(spans // len(SPLITTERS)):
                passage = generator.choice(passages)
                first = generator.randrange(len(passage.text))
                last = generator.randrange(first, len(passage.text)) + 1
                start, end, words = passage.start + first, passage.start + last, passage.text[first:last]
                text = collection.document(passage.document_id).text
                assert text[start:end] == words
                original, exact = expected[passage.document_id]
                assert text == original if exact else text.split() == original.split()
                commands.append((tmp_path / str(number), passage.document_id, "--start", start, "--end", end, words))
    for *arguments, words in generator.sample(commands, shown):
        result = run("show", *arguments, "--json")
        assert result.returncode == 0, result.stderr
        assert json.loads(result.stdout)["text"] == words
