"""Values of tables are those of the row that is asked for, with the model that comes with the program."""

from __future__ import annotations

from pathlib import Path

import pytest

import opendpr
from opendpr.answering import Answerer, open_answerer
from samples import pptx, workbook

NAMES = "Ada Bo Carin Dag Elsa Finn Greta Hugo Ines Jarl Klara Lars Mona Nils Olga Per"
FIRST = NAMES.split()
LAST_NAMES = (
    "Ahlberg Brandt Cedergren Dunker Eklund Forsell Granath Hedin Isberg Jansson Kihlman Lund Moe Norling Orr Palm"
)
LAST = LAST_NAMES.split()
STAFF = [
    (
        f"{first} {last}",
        "nurse" if number % 3 else "porter",
        f"555-0{137 * number % 900 + 100}",
        f"B{number % 4}.{number + 10}",
    )
    for number, (first, last) in enumerate(zip(FIRST, LAST, strict=True))
]
PLAYERS = ("Moses Fairley", "Asha Gupta", "Rico Castellano", "Ellen Brook")
SEASONS = [
    [season, player, 6 + (season + place) % 9, 100 + (season * 37 + place * 211) % 800]
    for season in range(2015, 2024)
    for place, player in enumerate(PLAYERS)
]
PLACES = "Gull Rock,Heron Point,Alder Cove,Seal Skerry,Orvik Head,Long Shoal,Cape Brand,Ness Bank,Tern Island,Kelp Bay"
LIGHTS = [(name, 1841 + 7 * number, 12 + 3 * number) for number, name in enumerate(PLACES.split(","))]
REMARK = "Repaired after a storm, its keeper's house let to summer guests since long ago"
ROWS = "".join(
    f"<tr><td>{name}</td><td>{built}</td><td>{high}</td><td>{REMARK}</td></tr>" for name, built, high in LIGHTS
)
FARES = (
    *(("Pier", "Departs", "Arrives", "Fare"), ("Skua Rock", "07:10", "", "43 crowns"), ("Whale Cove", "", "09:05", "")),
    *(("", "", "", ""), ("Grebe Isle", "", "", "57 crowns"), ("Otter Strand", "11:05", "12:10", "")),
)
RICH_ROWS = "".join(
    r"\trowd\cellx1\cellx2\cellx3\cellx4" + "".join(rf"\pard\intbl {value}\cell" for value in row) + r"\row"
    for row in FARES
)
TOLLS = (("Bridge", "Built", "Repaired", "Toll"), ("Ulv", "", "1931", "3 marks"), ("Elk", "1874", "", ""))
SLIDE_ROWS = "".join(
    "<a:tr>" + "".join(f"<a:tc><a:p><a:r><a:t>{value}</a:t></a:r></a:p></a:tc>" for value in row) + "</a:tr>"
    for row in TOLLS
)
FILES = {
    "ferries.rtf": "{\\rtf1 " + RICH_ROWS + "}",
    "bridges.pptx": pptx([f"<p:graphicFrame><a:tbl>{SLIDE_ROWS}</a:tbl></p:graphicFrame>"]),
    "staff.csv": "name,role,phone,room\n" + "\n".join(",".join(row) for row in STAFF),
    "seasons.xlsx": workbook([["Season", "Player", "Matches", "Runs"], *SEASONS]),
    "lights.html": f"<title>Lights</title><table><tr><th>Lighthouse<th>Built<th>Height (m)<th>Remark{ROWS}</table>",
    "prices.md": "# Prices\n\n| Article | Number | Price |\n|---|---|---|\n"
    + "\n".join(f"| {name} rope | 70{number} | {number + 1}.{number}5 |" for number, name in enumerate(FIRST)),
}
CASES = [
    *((f"What is the phone number of {STAFF[number][0]}?", STAFF[number][2], "staff.csv") for number in (1, 7, 14)),
    (f"In which room is {STAFF[9][0]}?", STAFF[9][3], "staff.csv"),
    *(
        (f"How many runs did {row[1]} make in {row[0]}?", str(row[3]), "seasons.xlsx:1")
        for row in (SEASONS[6], SEASONS[17], SEASONS[31])
    ),
    *((f"When was the lighthouse of {LIGHTS[n][0]} built?", str(LIGHTS[n][1]), "lights.html") for n in (3, 8)),
    ("What is the fare to Grebe Isle?", "57 crowns", "ferries.rtf"),
    ("When does the ferry to Whale Cove arrive?", "09:05", "ferries.rtf"),
    ("When was the bridge Ulv repaired?", "1931", "bridges.pptx"),
    ("How high is the lighthouse of Ness Bank?", "33", "lights.html"),
    ("What is the price of the Greta rope?", "7.65", "prices.md"),
]


@pytest.fixture(scope="module")
def answerer(tmp_path_factory: pytest.TempPathFactory) -> Answerer:
    directory: Path = tmp_path_factory.mktemp("tables")
    (directory / "files").mkdir()
    for name, content in FILES.items():
        (directory / "files" / name).write_bytes(content.encode() if isinstance(content, str) else content)
    assert opendpr.add(directory / "notes", directory / "files").skipped == []
    return open_answerer(directory / "notes")


@pytest.mark.parametrize(("question", "answer", "document"), CASES)
def test_the_answer_is_the_value_of_the_row_that_is_asked_for(answerer, question, answer, document):
    best = answerer.ask(question).phrases[0]
    assert (best.text, best.document_id) == (answer, document)
    assert answerer.collection.document(document).text[best.start : best.end] == answer
