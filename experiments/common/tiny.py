"""A model and data small enough for a test, with the layout of the real ones."""

from __future__ import annotations

import gzip
import json
import lzma
import random
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from opendpr.model.config import Architecture, EncoderConfig, ReaderConfig, RerankerConfig
from opendpr.model.directory import DEFAULT_MODEL, find_model, write_model, write_reranker

ARCHITECTURE = Architecture(
    vocab_size=30_522, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64
)
PLACES = tuple(f"{start}{end}" for start in ("Nor", "Al", "Ber", "Kil", "Ost") for end in ("ham", "ford", "wick", "by"))
THINGS = ("bridge", "lighthouse", "library", "railway", "harbour", "museum")
PEOPLE = ("Marta Lind", "Otto Berg", "Ida Holm", "Karl Strand", "Nora Vik", "Emil Dahl")
SEED = 0
ARTICLE_FACTS = 20
"""Facts of a whole article, of about twelve words each."""


def write_tiny_model(directory: Path) -> Path:
    """A model with encoder and reader, random weights that are always the same; made once."""
    if not (directory / "config.json").exists():
        import torch

        from opendpr.model.torch import make_network, stored_weights

        torch.manual_seed(SEED)
        encoder, reader = (
            EncoderConfig(ARCHITECTURE, pooling="mean", similarity="cosine", tied=True),
            ReaderConfig(ARCHITECTURE),
        )
        write_model(
            directory,
            name=directory.name,
            tokenizer=find_model(DEFAULT_MODEL).tokenizer_path,
            encoder=(encoder, {"encoder": stored_weights(make_network(encoder))}),
            reader=(reader, stored_weights(make_network(reader))),
        )
    return directory


def write_tiny_reranker(directory: Path) -> Path:
    """A cross-encoder with random weights that are always the same; made once."""
    if not (directory / "config.json").exists():
        import torch

        from opendpr.model.torch import make_network, stored_weights

        torch.manual_seed(SEED)
        config = RerankerConfig(ARCHITECTURE)
        tokenizer = find_model(DEFAULT_MODEL).tokenizer_path
        write_reranker(directory, tokenizer, config, stored_weights(make_network(config)))
    return directory


def write_tiny_sentence_transformer(work: Path, model: str) -> Path:
    """The encoder of a model as sentence-transformers stores it; made once."""
    directory = work / "tiny-sentence-transformer"
    if not directory.exists():
        from opendpr.model.foreign import export_model

        export_model(find_model(model), directory, "sentence-transformers")
    return directory


def write_tiny_data(folder: Path) -> Path:
    """A folder as that of the data: 80 documents of invented places, and questions about them; made once."""
    if folder.exists():
        return folder
    generator = random.Random(SEED)
    gold = [_paragraph(f"{kind}-{number}", generator) for kind in ("squad", "nq", "time") for number in range(16)]
    articles = [_article(number, generator) for number in range(32)]
    half_done = folder.with_name(f"{folder.name}.new")
    _write(half_done / "wikipedia" / "documents.jsonl.xz", (_without_question(each) for each in (*articles, *gold)))
    squad = [each for each in gold if each["id"].startswith("squad-")]
    _write(half_done / "dev" / "squad.jsonl", map(_with_paragraph, squad))
    unanswerable = (record for each in squad for record in _unanswerable(each))
    _write(half_done / "dev" / "squad_unanswerable.jsonl", unanswerable)
    _write(half_done / "dev" / "nq.jsonl", (_bare("nq.dev", each) for each in gold))
    _write(half_done / "dev" / "trivia.jsonl", (_bare("trivia.dev", fact) for each in gold for fact in _facts(each)))
    _write_handbooks(half_done / "dev" / "handbooks", gold)
    training = [_paragraph(f"train-{number}", generator) for number in range(64)]
    _write(half_done / "train" / "squad_reader.jsonl", map(_with_paragraph, training))
    for name in ("nq", "trivia", "webquestions", "curatedtrec"):
        more = {"answers_are_regex": True} if name == "curatedtrec" else {}
        records = ({**_bare(f"{name}.train", each), **more} for each in training)
        _write(half_done / "train" / f"{name}_answers_only.jsonl.gz", records)
    for name in ("cacm", "cranfield"):
        _write_judged(half_done / "ir" / name, gold)
    half_done.rename(folder)
    return folder


def _paragraph(id: str, generator: random.Random) -> dict[str, Any]:
    """A paragraph of five facts, and a question about the second."""
    facts = [_fact(generator) for _ in range(5)]
    text = " ".join(sentence for sentence, _, _ in facts)
    _, question, answer = facts[1]
    return {"id": id, "title": f"History {id}", "text": text, "question": question, "answer": answer, "facts": facts}


def _facts(paragraph: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """A question for each fact of a paragraph."""
    for number, (_, question, answer) in enumerate(paragraph["facts"]):
        yield {"id": f"{paragraph['id']}-{number}", "question": question, "answer": answer}


def _fact(generator: random.Random) -> tuple[str, str, str]:
    """A sentence, a question and its answer."""
    place, thing, person = generator.choice(PLACES), generator.choice(THINGS), generator.choice(PEOPLE)
    year = generator.randint(1700, 1999)
    sentence = f"The {thing} of {place} was built in {year} by {person} ."
    return sentence, f"Who built the {thing} of {place} in {year} ?", person


def _unanswerable(paragraph: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """A question for each fact that the paragraph does not answer."""
    for fact in _facts(paragraph):
        question = fact["question"].replace("built", "burned")
        yield {"id": f"none-{fact['id']}", "question": question, "answers": [], "document_id": paragraph["id"]}


def _article(number: int, generator: random.Random) -> dict[str, Any]:
    text = " ".join(_fact(generator)[0] for _ in range(ARTICLE_FACTS))
    return {"id": f"{'wiki' if number % 2 else 'intro'}-{number}", "title": f"Article {number}", "text": text}


def _without_question(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: record[name] for name in ("id", "title", "text")}


def _bare(prefix: str, record: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": f"{prefix}-{record['id']}",
        "question": record["question"],
        "answers": [record["answer"], *record["answer"].split()],
    }


def _with_paragraph(record: Mapping[str, Any]) -> dict[str, Any]:
    answer, passage = record["answer"], record["text"]
    place = {"answer_start": passage.index(answer), "answer_text": answer, "level": "paragraph"}
    return {
        **_bare("squad", record),
        **place,
        "title": record["title"],
        "passage": passage,
        "document_id": record["id"],
    }


def _write_judged(folder: Path, records: Sequence[Mapping[str, Any]]) -> None:
    """A test collection: corpus, queries, and for each query the paragraph that it was made of."""
    _write(folder / "corpus.jsonl", map(_without_question, records))
    _write(folder / "queries.jsonl", ({"id": str(n), "text": each["question"]} for n, each in enumerate(records)))
    lines = (f"{number} 0 {each['id']} 1\n" for number, each in enumerate(records))
    (folder / "qrels.txt").write_text("".join(lines), encoding="utf-8")


def _write_handbooks(folder: Path, records: Sequence[Mapping[str, Any]]) -> None:
    """An archive of text files and questions about them: plain, informal, without answer, worded again."""
    questions = []
    for number, record in enumerate(records):
        original = {**_bare("h", record), "style": ("plain", "informal")[number % 2]}
        reworded = {"question": original["question"].lower(), "style": "informal", "paraphrase_of": original["id"]}
        unanswerable = {
            "question": original["question"].replace("built", "burned"),
            "answers": [],
            "style": "unanswerable",
        }
        questions += [
            original,
            {**original, **reworded, "id": f"{original['id']}-again"},
            {**unanswerable, "id": f"{original['id']}-none"},
        ]
    _write(folder / "questions.jsonl", questions)
    with tarfile.open(folder / "handbooks.tar.xz", "w:xz") as archive:
        for record in records:
            entry = tarfile.TarInfo(f"{record['id']}.txt")
            entry.size = len(content := record["text"].encode())
            archive.addfile(entry, BytesIO(content))


def _write(path: Path, records: Iterable[Mapping[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = "".join(json.dumps(record) + "\n" for record in records).encode()
    if path.suffix == ".xz":
        content = lzma.compress(content)
    elif path.suffix == ".gz":
        content = gzip.compress(content)
    path.write_bytes(content)
