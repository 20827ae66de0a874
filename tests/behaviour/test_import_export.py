"""`opendpr import` and `opendpr export` as a user sees them."""

import json
import pickle

import numpy as np
import pytest
from conftest import contents

from opendpr.collection import open_collection

PSGS = "id\ttext\ttitle\n" + "".join(f"{n}\tpassage number {n} of the river\tRiver {n}\n" for n in range(1, 7))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "psgs.tsv").write_text(PSGS)
    return tmp_path


def vectors(rows=6, dim=32, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, dim)).astype(np.float32)


def write_shard(path, ids, values):
    path.write_bytes(pickle.dumps(list(zip(ids, values, strict=True))))
    return path


def embeddings(folder, model, *shards):
    return ("import", "embeddings", folder / "notes", *shards, "--passages", folder / "psgs.tsv", "--model", model)


def test_released_embeddings_become_a_collection_that_is_searched(folder, run, tiny_model, other_model):
    values = vectors()
    shards = [
        write_shard(folder / "w_1.pkl", ["4", "5", "6"], values[3:]),
        write_shard(folder / "w_0.pkl", ["1", "2", "3"], values[:3]),
    ]
    done = run(*embeddings(folder, tiny_model, *shards))
    assert done.returncode == 0, done.stderr
    assert "6 passages, 6 vectors (6 new)" in done.stderr
    result = contents(folder / "notes")
    for row, value in enumerate(values):
        title, text, vector = result[str(row + 1), 0]
        assert (title, text) == (f"River {row + 1}", f"passage number {row + 1} of the river")
        assert vector == value.astype("<f2").tobytes()
    again = run(*embeddings(folder, tiny_model, *shards), "--json")
    assert again.returncode == 0
    assert json.loads(again.stdout)["vectors"] == 0
    assert contents(folder / "notes") == result
    for retriever in ("dense", "bm25"):
        searched = run("search", folder / "notes", "river number 5", "-r", retriever, "-k", "6", "--json")
        assert len(searched.stdout.splitlines()) > 0, searched.stderr
    refused = run("search", folder / "notes", "river", "-r", "dense", "--model", other_model)
    assert refused.returncode == 4
    assert "fingerprint" in refused.stderr


def test_what_has_no_counterpart_is_counted_and_named(folder, run, tiny_model):
    with (folder / "psgs.tsv").open("a") as file:
        file.write("7\t \tEmpty\n")
    shard = write_shard(folder / "w.pkl", ["1", "2", "3", "5", "77"], vectors(5))
    done = run(*embeddings(folder, tiny_model, shard))
    assert done.returncode == 3
    assert "1 passage without text, left out: 7" in done.stderr
    assert "1 vector without a passage, left out: 77" in done.stderr
    assert f"2 passages without a vector, 'opendpr encode {folder / 'notes'} --model {tiny_model}'" in done.stderr
    assert "computes what is missing: 4, 6" in done.stderr
    assert run("encode", folder / "notes", "--model", tiny_model).returncode == 0
    assert all(vector for _, _, vector in contents(folder / "notes").values())


@pytest.mark.parametrize(
    ("ids", "values", "problem"),
    [
        (["1"], vectors(1, dim=16), "the vector of passage '1' has 16 numbers, the model's have 32"),
        (["1", "1"], vectors(2), "passage '1' has two vectors"),
        (["1"], np.full((1, 32), np.nan, np.float32), "a number that is not finite"),
        (["1"], np.full((1, 32), 1e6, np.float32), "a number that is not finite, or larger than 65,504"),
        (["wiki:1"], vectors(1), "none of its first 1 ids is that of a passage, as 'wiki:1'"),
    ],
)
def test_vectors_that_do_not_fit_are_refused(folder, run, tiny_model, ids, values, problem):
    done = run(*embeddings(folder, tiny_model, write_shard(folder / "w.pkl", ids, values)))
    assert done.returncode == 3
    assert problem in done.stderr
    assert "Traceback" not in done.stderr


def test_another_vector_for_the_same_passage_is_refused(folder, run, tiny_model):
    shards = [write_shard(folder / f"w{n}.pkl", ["1"], vectors(1, seed=n)) for n in range(2)]
    done = run(*embeddings(folder, tiny_model, *shards))
    assert done.returncode == 3
    assert "passage '1' has another vector already" in done.stderr


def test_a_prefix_of_ids_is_taken_away(folder, run, tiny_model):
    shard = write_shard(folder / "w.pkl", [f"wiki:{n}" for n in range(1, 7)], vectors())
    done = run(*embeddings(folder, tiny_model, shard), "--id-prefix", "wiki:")
    assert done.returncode == 0, done.stderr


def test_a_hostile_shard_leaves_no_collection(folder, run, tiny_model):
    marker = folder / "marker"
    (folder / "w.pkl").write_bytes(
        b"cposix\nsystem\n(X\x20\x00\x00\x00" + f"touch {marker}".encode()[:32].ljust(32) + b"tR."
    )
    done = run(*embeddings(folder, tiny_model, folder / "w.pkl"))
    assert done.returncode == 3
    assert "posix.system, which is refused" in done.stderr
    assert not marker.exists()
    assert not (folder / "notes").exists()


def test_passages_that_wait_for_vectors_are_not_exported(folder, run, tiny_model):
    (folder / "a.txt").write_text("The first text.")
    run("add", folder / "texts", folder / "a.txt", "--model", tiny_model)
    from opendpr.collection import open_writer
    from opendpr.types import Document

    with open_writer(folder / "texts") as writer:
        writer.put_documents([Document("a.txt", "a", "The second text.")])
    done = run("export", "passages", folder / "texts", "--format", "beir", "-o", folder / "corpus.jsonl")
    assert done.returncode == 0, done.stderr
    (line,) = (folder / "corpus.jsonl").read_text().splitlines()
    assert json.loads(line) == {"_id": "a.txt", "title": "a", "text": "The first text."}


def test_a_run_of_long_documents_is_completed_from_the_collection(folder, run, tiny_model):
    (folder / "a#1.txt").write_text(" ".join(f"word{n}" for n in range(150)))
    (folder / "b.txt").write_text("short")
    run("add", folder / "notes", folder / "a#1.txt", folder / "b.txt", "--model", tiny_model)
    with open_collection(folder / "notes") as collection:
        ids = [passage for passage in collection.passage_ids(list(collection.passages_after(0))).values()]
    assert len(ids) == 3
    hits = [{"id": id, "score": score} for id, score in zip(ids, (1.0, 3.0, 2.0), strict=True)]
    records = [
        {"id": "q", "question": "who", "answers": [], "retriever": name, "hits": hits} for name in ("dense", "bm25")
    ]
    (folder / "run.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    export = ("export", "run", folder / "run.jsonl", "-o", folder / "out", "--collection", folder / "notes")
    done = run(*export, "--format", "trec", "--documents", "--system", "bm25")
    assert done.returncode == 0, done.stderr
    assert (folder / "out").read_text() == "q Q0 a#1.txt 1 3.0 bm25\nq Q0 b.txt 2 2.0 bm25\n"
    twice = run(*export, "--format", "trec")
    assert twice.returncode == 3
    assert "Choose a system with --system" in twice.stderr
    unknown = run(*export[:3], *export[3:5], "--format", "trec", "--documents", "--system", "bm25")
    assert unknown.returncode == 3
    assert "name the collection that was searched with --collection" in unknown.stderr
    (folder / "run.jsonl").write_text('{"id": "q", "question": "who", "hits": [{"id": "gone", "score": 1}]}')
    gone = run(*export, "--format", "dpr")
    assert gone.returncode == 3
    assert "has no passage 'gone'" in gone.stderr


def test_questions_are_given_to_a_run_that_has_ids_only(folder, run):
    (folder / "run").write_text("1 Q0 d 1 2.5 bm25\n")
    (folder / "queries.tsv").write_text("1\twho\n")
    tagged = run("export", "run", folder / "run", "--format", "trec", "-o", folder / "out", "--system", "BM25")
    assert tagged.returncode == 3
    assert "its systems are 'bm25'" in tagged.stderr
    export = ("export", "run", folder / "run", "--format", "msmarco", "-o", folder / "out", "--questions")
    assert run(*export, folder / "queries.tsv").returncode == 0
    (folder / "queries.tsv").write_text("2\twho\n")
    done = run(*export, folder / "queries.tsv")
    assert done.returncode == 3
    assert "question '1', which is none of those given" in done.stderr


def test_unanswerable_questions_are_left_out_of_spans_and_counted(folder, run):
    qas = [
        {"id": "1", "question": "who", "answers": [{"text": "Ada", "answer_start": 3}]},
        {"id": "2", "question": "why", "answers": [], "is_impossible": True},
    ]
    data = {"data": [{"title": "T", "paragraphs": [{"context": "by Ada", "qas": qas}]}]}
    (folder / "squad.json").write_text(json.dumps(data))
    done = run("import", "spans", folder / "squad.json", "-o", folder / "out.jsonl")
    assert "1 question\n" in done.stderr
    assert "left out 1 question without an answer marked in the passage" in done.stderr


def test_a_bad_line_is_named_and_leaves_no_file(folder, run):
    (folder / "qa.csv").write_text("who\t['x']\nwhat\t__import__('os').system('x')\n")
    done = run("import", "questions", folder / "qa.csv", "-o", folder / "out.jsonl")
    assert done.returncode == 3
    assert f"{folder / 'qa.csv'}:2: the answers cannot be read" in done.stderr
    assert not (folder / "out.jsonl").exists()


@pytest.mark.parametrize(
    ("what", "content", "problem"),
    [
        ("questions", "", "holds no questions"),
        ("questions", "[]", "holds no questions"),
        ("passages", "id\ttext\n", "holds nothing"),
        ("passages", '{"id": "1", "text": " "}\n', "has 1 record, of which none is a passage with text"),
        ("examples", '{"question": "who", "positives": []}\n', "of which none is an example with a positive passage"),
        ("spans", '{"data": []}', "holds nothing"),
        (
            "spans",
            '{"data": [{"id": "1", "question": "who", "context": "x", "answers": {"text": [], "answer_start": []}}]}',
            "of which none is a question with an answer",
        ),
        ("run", '{"question": "who", "ctxs": []}\n', "of which none is a ranking with passages"),
        ("qrels", "1 0 d 0\n", "of which none is a judgement that is relevant"),
    ],
)
def test_an_import_of_nothing_useful_is_an_error(folder, run, what, content, problem):
    (folder / "a").write_text(content)
    done = run("import", what, folder / "a", "-o", folder / "out")
    assert done.returncode == 3
    assert problem in done.stderr
    assert not (folder / "out").exists()


def test_answers_are_counted_and_patterns_are_named(folder, run):
    (folder / "a.csv").write_text("when\t['18[0-9]{2}', '.*']\nwho\t[]\n")
    done = run("import", "questions", folder / "a.csv", "-o", folder / "out.jsonl", "--match", "regex")
    assert done.returncode == 0, done.stderr
    assert "2 questions, 1 with answers" in done.stderr
    assert "dropped 1 answer found in every text: '.*' of question '1'" in done.stderr
    first, _ = map(json.loads, (folder / "out.jsonl").read_text().splitlines())
    assert first == {"id": "1", "question": "when", "answers": ["18[0-9]{2}"], "match": "regex"}


def test_options_say_how_a_doubtful_file_is_to_be_read(folder, run):
    (folder / "psgs.tsv").write_text('id\ttext\ttitle\n1\t"Foo is\tFoo\n')
    (folder / "run").write_text("1\td\t9\n1\te\t4\n1\td\t7\n")
    (folder / "qrels").write_text("1 0 d 1\n1 0 d 2\n")
    for arguments in (
        ("passages", "psgs.tsv", "--quoting", "none"),
        ("run", "run", "--values", "score", "--duplicates", "best"),
        ("qrels", "qrels", "--duplicates", "best"),
    ):
        refused = run("import", *arguments[:2], "-o", folder / "out", cwd=folder)
        assert refused.returncode == 3
        assert arguments[2].removeprefix("--") in refused.stderr
        done = run("import", *arguments, "-o", folder / arguments[0], cwd=folder)
        assert done.returncode == 0, done.stderr
    assert json.loads((folder / "passages").read_text())["text"] == '"Foo is'
    assert [hit["id"] for hit in json.loads((folder / "run").read_text())["hits"]] == ["d", "e"]
    assert (folder / "qrels").read_text() == "1 0 d 2\n"


def test_a_run_of_an_evaluation_is_exported_by_system(folder, run, tiny_model):
    (folder / "q.jsonl").write_text('{"id": "q", "question": "the river number", "answers": ["number 5"]}\n')
    assert run("add", folder / "notes", folder / "psgs.tsv", "--whole", "--model", tiny_model).returncode == 0
    evaluate = ("evaluate", folder / "notes", folder / "q.jsonl", "-o", folder / "eval.jsonl")
    done = run(*evaluate, "-r", "bm25", "-r", "dense", "-k", "6")
    assert done.returncode == 0, done.stderr
    export = ("export", "run", folder / "eval.jsonl", "--format", "trec", "-o", folder / "out")
    both = run(*export).stderr
    assert "for 'bm25' and for 'dense'" in both
    assert "Choose a system with --system" in both
    unknown = run(*export, "--system", "hybrid")
    assert unknown.returncode == 3
    assert "no ranking of system 'hybrid'; its systems are 'bm25', 'dense'" in unknown.stderr
    unknown = run(*export, "--set", "q.jsonl")
    assert "no ranking of set 'q.jsonl'; its sets are 'q'" in unknown.stderr
    assert not (folder / "out").exists()
    assert run(*export, "--system", "bm25").returncode == 0
    lines = [line.split() for line in (folder / "out").read_text().splitlines()]
    assert sorted(line[2] for line in lines) == ["1", "2", "3", "4", "5", "6"]
    assert {line[5] for line in lines} == {"bm25"}
