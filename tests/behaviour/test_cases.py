"""Documents as people have them, asked with the model that comes with the program: the right words are found, whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import opendpr
from opendpr.answering import Answerer, open_answerer
from opendpr.types import Document
from samples import MAILBOX, RTF, W, docx, paragraph, workbook

SIGNS = """# Frost log of the Orvik station

The lowest temperature ever measured at the Orvik station was -41.5 degrees, on 3 February 1966.
The station's logging program is written in C++ by Jonas Berg. Its plug-ins are written in C#.
The settings are read from /etc/orvik/station.conf when the program starts.
The list of ignored sensors is kept in .sensorignore.
The entrance ticket to the station museum costs $12.50 for adults. Children under six enter free.
The option that turns on verbose output is --verbose-all and it is off by default.
The share of days with fog is 37% in an average year.
The station's mail address is keeper@orvik.example and its web page is https://orvik.example/log?year=1966.
"""
PIER = """<!doctype html><meta charset=utf-8><title>Orvik</title>
<p>The pier of Orvik was finished in 1874<sup>12</sup> and has an area of 10<sup>4</sup> m<sup>2</sup>.</p>
<p>The lighthouse keeper was Olaf Strand<sup><a href="#n4">4</a></sup>.</p>"""
PRICES = """<!doctype html><meta charset=utf-8><title>Museum</title>
<p>The price is <del>40 crowns</del> <ins>55 crowns</ins> for adults.</p>
<p hidden>The price is 77 crowns.</p><p style="display:none">The price is 99 crowns for members.</p>
<img src=map.png alt="Map of Orvik harbour drawn by Ebba Lund in 1902">"""
NOTE = """---
title: Harbour regulations of Sandby
author: Eva Moberg
---

The maximum speed in the harbour is 3 knots. The fee for a night is 120 crowns.
"""
OPENER = "A\u030asa O\u0308berg"
FORMS = {
    "nfd.txt": f"The cafe\u0301 Zu\u0308rcher Lo\u0308we in Malmo\u0308 was opened by {OPENER} in 1931.",
    "ligature.txt": "The certi\ufb01cate of \ufb01tness for boats costs ninety crowns and is issued by Karin Dahl.",
    "parted.txt": "The inspec-\ntion of the light-\nhouse was carried out by the engi-\nneer Tove Lund in May.",
    "digits.txt": "The observatory of Basra was founded in \u0661\u0668\u0667\u0664 by the astronomer Karim Haddad.",
    "okina.txt": "The canoe museum on Hawai\u02bbi is run by Leilani Kealoha.",
}
MOVED = (
    '<w:p><w:moveFrom w:id="1"><w:r><w:t>The rent is 900 crowns a month.</w:t></w:r></w:moveFrom></w:p>'
    f"{paragraph('Paid in advance.')}"
    '<w:p><w:moveTo w:id="2"><w:r><w:t>The rent is 900 crowns a month.</w:t></w:r></w:moveTo></w:p>'
)
NUMBERED = "".join(
    f'<w:p><w:pPr><w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr></w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>'
    for text in ("Rent. The rent is 900 crowns.", "Deposit. The deposit is 1,800 crowns.")
)
NUMBERING = (
    f'<w:numbering xmlns:w="{W}"><w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0"><w:start w:val="1"/>'
    '<w:numFmt w:val="decimal"/><w:lvlText w:val="§ %1"/></w:lvl></w:abstractNum>'
    '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num></w:numbering>'
)
DROP_CAP = '<w:p><w:pPr><w:framePr w:dropCap="drop" w:lines="3"/></w:pPr><w:r><w:t>E</w:t></w:r></w:p>' + paragraph(
    "lias Berg built the mill in 1840."
)
FERRIES = """route;destination;departs;arrives;days
1;Gull Island;07:10;07:55;daily
1;Heron Point;08:15;09:05;Mon-Fri
2;Alder Cove;11:05;12:10;daily
"""
STAFF = [["Name", "Role", "Phone"], ["Jonas Berg", "Mechanic", "555-0178"], ["Tove Lund", "Engineer", "555-0121"]]
FILES: dict[str, str | bytes] = {
    "signs.md": SIGNS,
    "pier.html": PIER,
    "prices.html": PRICES,
    "note.md": NOTE,
    "move.docx": docx(MOVED),
    "numbers.docx": docx(NUMBERED, numbering=NUMBERING),
    "drop.docx": docx(DROP_CAP),
    "rules.rtf": RTF,
    "mail.mbox": MAILBOX,
    "blank.csv": "text\n\nThe anchor weighs 300 kilograms.\n",
    "pipe.csv": "id|Content\np1|The mast is 21 m high.\n",
    "cp1252.csv": '"id","text"\n"c1","Café Linnéa opened in 1921."\n'.encode("cp1252"),
    "records.jsonl": '{"_id":"h1","page_content":"The bell was cast in 1712."}\n{"body":"The rope is 90 metres."}\n',
    "ferries.csv": FERRIES,
    "staff.xlsx": workbook(STAFF),
    **FORMS,
}
CASES = [
    ("What was the lowest temperature at the Orvik station?", "-41.5 degrees", "signs.md"),
    ("Which file holds the station's settings?", "/etc/orvik/station.conf", "signs.md"),
    ("What does the entrance ticket cost?", "$12.50", "signs.md"),
    ("Which option turns on verbose output?", "--verbose-all", "signs.md"),
    ("In which language is the logging program written?", "C++", "signs.md"),
    ("What is the share of days with fog?", "37%", "signs.md"),
    ("What is the list of ignored sensors called?", ".sensorignore", "signs.md"),
    ("What is the address of the station's web page?", "https://orvik.example/log?year=1966", "signs.md"),
    ("What are the plug-ins written in?", "C#", "signs.md"),
    ("Who built the mill?", "Elias Berg", "drop.docx"),
    ("What is the maximum speed in the harbour?", "3 knots", "note.md"),
    ("How many people does the ferry carry?", "forty", "rules.rtf"),
    ("What is the station's mail address?", "keeper@orvik.example", "signs.md"),
    ("In which year was the pier of Orvik finished?", "1874", "pier.html"),
    ("Who was the lighthouse keeper?", "Olaf Strand", "pier.html"),
    ("What is the price for adults?", "55 crowns", "prices.html"),
    ("Who drew the map of Orvik harbour?", "Ebba Lund", "prices.html"),
    ("Who opened the café in Malmö?", OPENER, "nfd.txt"),
    ("Who issues the certificate of fitness?", "Karin Dahl", "ligature.txt"),
    ("When was the observatory of Basra founded?", "\u0661\u0668\u0667\u0664", "digits.txt"),
    ("What was founded in 1874?", "The observatory of Basra", "digits.txt"),
    ("Who runs the canoe museum on Hawai'i?", "Leilani Kealoha", "okina.txt"),
    ("When does the ferry to Heron Point leave?", "08:15", "ferries.csv"),
    ("What is Tove Lund's phone number?", "555-0121", "staff.xlsx:1"),
    ("Who built the båt?", "Åsa Lind", "mail.mbox:1"),
]
REPORT = "The annual report says that the ferry Nordan carried 4,120 passengers in 1968. The captain was Ture Alm."
FERRY = "The ferry Sydan was built in Umea in 1951. Its captain was Hilma Roos, the first woman to hold the post."
BUILT_BY = """
church organ: Ada Ahlberg; harbour crane: Bo Brandt; town clock: Carin Cedergren; stone bridge: Dag Dunker;
windmill: Elsa Eklund; ferry bell: Finn Forsell; school piano: Greta Granath; market fountain: Hugo Hedin; railway
station: Ines Isberg; lighthouse lens: Jarl Jansson; fire engine: Klara Kihlman; rope factory: Lars Lagergren;
fish auction hall: Mona Mattsson; theatre curtain: Nils Norling; hospital chapel: Olga Orrgard; post office: Per
Palmgren; gas lamp: Rut Rosell; ice cellar: Sten Sandahl; weaving loom: Tora Tegner; ski jump: Ulf Unander; town
library: Vera Vinberg; bandstand: Axel Wallin; water tower: Berit Ytterberg; sugar mill: Cai Zetterlund; glass
works: Disa Almqvist; sawmill: Emil Bergvall; customs house: Frida Carlheim; rowing boat: Gun Dahlin; sun dial:
Hans Enqvist; brewery: Ida Fagerlund
"""
"""Who built what, in 717 words: borders of passages fall in the middle of some sentences."""
ENDINGS = (
    "after a long quarrel with the council",
    "with money given by the widows of the parish",
    "while the old one was still in use",
    "although nobody had asked for it at first",
    "in the same summer as the great drought",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("cases") / "files"
    directory.mkdir()
    for name, content in FILES.items():
        (directory / name).write_bytes(content.encode() if isinstance(content, str) else content)
    report = opendpr.add(directory.parent / "notes", directory)
    assert report.skipped == []
    return directory.parent / "notes"


@pytest.fixture(scope="module")
def answerer(folder: Path) -> Answerer:
    return open_answerer(folder)


@pytest.mark.parametrize(("question", "answer", "document"), CASES)
def test_the_right_words_are_among_the_answers_and_lie_where_they_say(answerer, question, answer, document):
    spans = [span for answer in answerer.ask(question).answers[:5] for span in answer.spans]
    assert answer in [span.text for span in spans]
    for span in spans:
        text = answerer.collection.document(span.hit.passage.document_id).text
        assert text[span.start : span.end] == span.text
    assert document in [span.hit.passage.document_id for span in spans if span.text == answer]


@pytest.mark.parametrize("wrong", ["187412", "40 crowns", "77 crowns", "99 crowns", "Eva Moberg\n"])
def test_what_no_reader_sees_is_nowhere_in_the_text(answerer, wrong):
    assert not any(wrong in passage.text for passage in answerer.collection.passages_after(0))


def test_moved_text_is_there_once_and_paragraphs_have_their_numbers(answerer):
    assert answerer.collection.document("move.docx").text.count("900 crowns") == 1
    assert answerer.collection.document("numbers.docx").text.startswith("§ 1 Rent.")
    assert "\n\n§ 2 Deposit." in answerer.collection.document("numbers.docx").text


def test_front_matter_is_title_and_metadata(answerer):
    note = answerer.collection.document("note.md")
    assert (note.title, note.metadata["author"]) == ("Harbour regulations of Sandby", "Eva Moberg")
    assert note.text.startswith("The maximum speed")


def test_records_have_ids_and_texts_by_the_names_that_people_give_them(answerer):
    ids = {summary.id for summary in answerer.collection.summaries()}
    assert {"blank.csv:1", "p1", "c1", "h1", "records.jsonl:2", "rules.rtf", "mail.mbox:2"} <= ids


@pytest.mark.parametrize(
    ("words", "document"),
    [
        *(("Zürcher", "nfd.txt"), ("certificate", "ligature.txt"), ("inspection", "parted.txt")),
        *(("Basra 1874", "digits.txt"), ("Hawai\u2019i", "okina.txt")),
    ],
)
def test_bm25_finds_a_word_however_it_is_written(folder, words, document):
    hits = opendpr.open(folder, retriever="bm25").search(words, 1)
    assert [hit.passage.document_id for hit in hits] == [document]


def test_questions_of_a_file_from_windows_are_answered_on_a_terminal_of_any_encoding(
    run, folder, environment, tmp_path
):
    (tmp_path / "questions.txt").write_bytes("\ufeffWho was the lighthouse keeper?\r\n".encode())
    latin: dict[str, Any] = {"env": {**environment, "PYTHONIOENCODING": "latin-1"}}
    result = run("ask", folder, "-", input=(tmp_path / "questions.txt").read_text("utf-8"))
    assert json.loads(result.stdout)["question"] == "Who was the lighthouse keeper?"
    assert run("search", folder, "inspection", "-r", "bm25", **latin).returncode == 0


def test_an_id_with_a_line_end_is_listed_on_one_line(run, tmp_path, tiny_model):
    (tmp_path / "odd.jsonl").write_text('{"id": "nl\\nx.txt", "text": "The bell was cast in 1712."}\n')
    assert run("add", tmp_path / "c", tmp_path / "odd.jsonl", "--model", tiny_model).returncode == 0
    assert run("list", tmp_path / "c").stdout == "nl\\nx.txt\t\t1 passage\t26 characters\n"


def test_documents_of_any_name_are_listed_shown_exported_and_removed(run, tmp_path):
    names = [
        "a\nb",
        "a\tb",
        "a\rb",
        "-x",
        "--json",
        " a",
        "a ",
        "q\"u'o",
        "😀",
        "e\u0301.txt",
        "\u200bz",
        "\u202ec",
        "a\0b",
    ]
    records = ({"id": name, "text": f"The bell number {number} was cast."} for number, name in enumerate(names))
    (tmp_path / "odd.jsonl").write_text("".join(f"{json.dumps(record)}\n" for record in records))
    notes, copy = tmp_path / "c", tmp_path / "copy"
    assert run("add", notes, tmp_path / "odd.jsonl", "--no-vectors").returncode == 0
    lines = run("list", notes).stdout.splitlines()
    listed = [line.split("\t")[0] for line in lines]
    assert len(lines) == len(names)
    assert run("show", notes, "\u00e9.txt").stdout == "The bell number 9 was cast.\n"
    assert run("show", notes, "--", "-x").stdout == "The bell number 3 was cast.\n"
    assert run("remove", notes, "a\\x00b").returncode == 0
    assert run("export", "passages", notes, "--format", "psgs", "-o", tmp_path / "psgs.tsv").returncode == 0
    assert run("add", copy, tmp_path / "psgs.tsv", "--no-vectors").returncode == 0
    kept = [name for name in listed if name != "a\\x00b"]
    assert [line.split("\t")[0] for line in run("list", copy).stdout.splitlines()] == kept
    assert run("remove", notes, "--", *kept).returncode == 0
    assert run("list", notes).stdout == ""


def test_no_answer_is_lost_at_the_border_of_a_passage(tmp_path):
    built = dict(pair.split(": ") for pair in " ".join(BUILT_BY.split()).split("; "))
    sentences = (
        f"The {thing}, which visitors to the town still admire today, was built by {name} {ENDINGS[number % 5]}."
        for number, (thing, name) in enumerate(built.items())
    )
    (tmp_path / "town.txt").write_text(" ".join(sentences))
    opendpr.add(tmp_path / "town", tmp_path / "town.txt")
    outcomes = open_answerer(tmp_path / "town").ask([f"Who built the {thing}?" for thing in built])
    answers = [outcome.phrases[0].text if outcome.phrases else "" for outcome in outcomes]
    assert dict(zip(built, answers, strict=True)) == built


def test_copies_of_a_file_are_one_place_and_make_no_answer_surer(tmp_path):
    outcomes = {}
    for count in (1, 30):
        reports = [Document(f"report-{number}.txt", "report", REPORT) for number in range(count)]
        opendpr.add(tmp_path / str(count), [*reports, Document("other.txt", "other", FERRY)])
        outcomes[count] = open_answerer(tmp_path / str(count)).ask("Who was the captain of the ferry?").answers
    alone, copied = outcomes[1][0], outcomes[30][0]
    assert copied.text == alone.text
    assert copied.confidence == pytest.approx(alone.confidence, abs=0.1)
    assert {answer.document_id for answer in outcomes[30]} >= {"other.txt"}
    hits = [span.hit for answer in outcomes[30] for span in answer.spans]
    assert {len(hit.copies) for hit in hits if hit.passage.text == REPORT} == {29}
