"""Training the reader on passages with marked answers: losses by hand, chunks, processes, examples. fp32 on a CPU."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from opendpr.errors import InputError, UsageError
from opendpr.interop import write_examples
from opendpr.model.batches import pad
from opendpr.model.directory import Model
from opendpr.model.reader import BertReader
from opendpr.model.runtime import RuntimeSettings
from opendpr.model.tokenizer import Tokenizer
from opendpr.model.torch import ReaderNetwork, load_weights
from opendpr.training.losses import alone_loss, selection_loss, span_loss
from opendpr.training.objective import Step
from opendpr.training.reader import train_reader
from opendpr.training.reader_examples import MarkedPassage, ReaderExample, read_reader_examples
from opendpr.training.reader_judge import ReaderJudge
from opendpr.training.reader_objective import ReaderObjective
from opendpr.training.settings import ReaderSettings
from opendpr.training.swaps import swapped
from opendpr.types import ExamplePassage, Hit, Passage, Question, TrainingExample
from training_processes import run_together

pytestmark = pytest.mark.usefixtures("one_thread")

PEOPLE = ["Ada", "Bert", "Carla", "Dora", "Emil"]
PLACES = ["Paris", "Rome", "Oslo", "Lima"]
SETTINGS = ReaderSettings(
    epochs=2, batch_size=8, learning_rate=3e-3, precision="fp32", device="cpu", dropout=0.0, negatives=2,
    negative_share=0.5, checkpoint_seconds=1e-9,
)  # fmt: skip


def text(person: str, place: str) -> str:
    return f"In {place} they say that {person} went by train to {place}, once."


EXAMPLES = [
    TrainingExample(
        Question(f"{person} {place}", f"Where did {person} go?", (place, f"to {place}")),
        (ExamplePassage(person, text(person, place)), ExamplePassage(person, "Nothing is said here.")),
        tuple(ExamplePassage(person, f"{person} never saw {other}.") for other in PLACES if other != place),
    )
    for person in PEOPLE
    for place in PLACES
]


@pytest.fixture(scope="module")
def mined(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mined") / "mined.jsonl"
    write_examples(path, EXAMPLES, "jsonl")
    return path


def objective(model: Path, mined: Path, settings: ReaderSettings = SETTINGS) -> ReaderObjective:
    opened = Model(model)
    network = ReaderNetwork(opened.require_reader().architecture)
    load_weights(network, opened.load_weights("reader"))
    examples = read_reader_examples([mined], settings.negatives, settings.seed)
    tokenizer = Tokenizer(opened.tokenizer_path)
    return ReaderObjective(
        network, examples, tokenizer=tokenizer, config=opened.require_reader(), settings=settings
    )  # fmt: skip


def full(trained: ReaderObjective) -> tuple[np.ndarray, int]:
    """A batch of 8 questions, of which 4 get negatives."""
    return next(batch for batch in trained.batches(0) if len(batch[0]) == 8)


def gradients(trained: ReaderObjective) -> tuple[float, dict[str, np.ndarray]]:
    loss = trained.backward(full(trained), Step(seed=5, dropout=0.0, bf16=False))
    return loss, {
        name: p.grad.to_dense().numpy().copy() for name, p in trained.network.named_parameters() if p.grad is not None
    }


def assert_same(actual: tuple[float, dict[str, np.ndarray]], expected: tuple[float, dict[str, np.ndarray]]) -> None:
    assert actual[0] == pytest.approx(expected[0], abs=1e-5)
    for name, gradient in expected[1].items():
        np.testing.assert_allclose(actual[1][name], gradient, rtol=1e-4, atol=1e-5, err_msg=name)


def test_the_span_loss_sums_the_probabilities_of_all_places_by_hand() -> None:
    generator = np.random.default_rng(0)
    start, end = generator.normal(0, 2, (2, 2, 5)).astype(np.float32)
    mask = np.array([[0, 1, 1, 1, 0], [1, 1, 1, 1, 1]], bool)
    places = [[(1, 2), (3, 3)], [(0, 4)]]
    answers, counted = np.array([[[1, 2], [3, 3]], [[0, 4], [0, 0]]]), np.array([[1, 1], [1, 0]], bool)
    logits_and_mask = map(torch.from_numpy, (start, end, mask))
    losses = span_loss(*logits_and_mask, answers=torch.from_numpy(answers), counted=torch.from_numpy(counted))
    for row, spans in enumerate(places):
        p_start, p_end = (np.exp(x[row]) / np.exp(x[row][mask[row]]).sum() for x in (start, end))
        assert losses[row].item() == pytest.approx(-np.log(sum(p_start[i] * p_end[j] for i, j in spans)), abs=1e-5)


def test_passages_that_are_not_there_change_no_loss() -> None:
    logits = torch.tensor([[1.0, 0.5, -torch.inf], [0.0, 2.0, 1.0]])
    assert selection_loss(logits)[0].item() == pytest.approx(np.log(1 + np.exp(-0.5)))
    expected = (np.log(1 + np.exp(-1.0)) + np.log(1 + np.exp(0.5))) / 2
    assert alone_loss(logits)[0].item() == pytest.approx(expected)


def test_every_place_of_every_answer_is_marked_and_positives_without_one_are_left_out(mined: Path) -> None:
    example = read_reader_examples([mined], 0, 0)[0]
    (positive,) = example.positives
    assert [positive.text[start:end] for start, end in positive.places] == ["Paris", "to Paris", "Paris"]
    assert [passage.places for passage in example.negatives] == [(), (), ()]
    assert example.question == EXAMPLES[0].question


@pytest.mark.parametrize("name", ["answers", "passage"])
def test_marked_answers_that_are_no_strings_are_refused_with_their_line(tmp_path: Path, name: str) -> None:
    record = {"question": "When?", "passage": "In 1888.", "answer_start": 3, "answer_text": "1888", name: [1888]}
    path = tmp_path / "spans.jsonl"
    path.write_text(json.dumps(record) + "\n")
    with pytest.raises(InputError, match=rf"spans\.jsonl:1: .*'{name}'.* string"):
        read_reader_examples([path], 1, 0)


def test_questions_without_an_answer_in_their_passage_are_counted_and_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "squad.json"
    answered = {"id": "1", "question": "When?", "answers": [{"text": "1888", "answer_start": 3}]}
    impossible = {"id": "2", "question": "Who?", "answers": [], "is_impossible": True}
    paragraph = {"context": "In 1888.", "qas": [answered, impossible]}
    path.write_text(json.dumps({"data": [{"title": "Ada", "paragraphs": [paragraph]}]}))
    (example,) = read_reader_examples([path], 0, 0)
    assert example.positives == (MarkedPassage("Ada", "In 1888.", ((3, 7),)),)
    assert "left out 1 question without an answer" in caplog.text


def test_passages_without_a_token_are_no_negatives(tiny_model: Path, tmp_path: Path) -> None:
    empty = (ExamplePassage("", ""), ExamplePassage("", "\u200b"))
    examples = [TrainingExample(Question("q", "Where?", ("Oslo",)), (ExamplePassage("", "In Oslo."),), empty)]
    write_examples(tmp_path / "e.jsonl", examples, "jsonl")
    trained = objective(tiny_model, tmp_path / "e.jsonl", replace(SETTINGS, batch_size=1, negative_share=1.0))
    (batch,) = trained.batches(0)
    assert np.isfinite(trained.backward(batch, Step(seed=5, dropout=0.0, bf16=False)))


def test_settings_with_which_no_question_of_a_step_gets_negatives_are_refused() -> None:
    with pytest.raises(UsageError, match=r"batch_size 2 and negative_share 0\.25"):
        ReaderSettings(batch_size=2)
    assert ReaderSettings(batch_size=2, negatives=0).negatives == 0


def test_patterns_mark_what_they_match(tmp_path: Path) -> None:
    question = Question("q", "When?", (r"18\d\d",), "regex")
    positive = ExamplePassage("", "It was 1871 or 1899.")
    write_examples(tmp_path / "e.jsonl", [TrainingExample(question, (positive,), ())], "jsonl")
    (example,) = read_reader_examples([tmp_path / "e.jsonl"], 0, 0)
    assert [positive.text[start:end] for start, end in example.positives[0].places] == ["1871", "1899"]


def test_examples_none_of_whose_positives_hold_an_answer_are_counted_and_refused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    question = Question("q", "When?", ("1871",))
    path = tmp_path / "e.jsonl"
    write_examples(path, [TrainingExample(question, (ExamplePassage("", "Not here."),), ())], "jsonl")
    with pytest.raises(InputError, match="no examples to train a reader on"):
        read_reader_examples([path], 0, 0)
    assert "left out 1 example whose positive passages hold no answer" in caplog.text


def test_both_forms_of_files_are_read_together(tmp_path: Path, mined: Path) -> None:
    spans = tmp_path / "spans.jsonl"
    record = {"question": "Who?", "passage": "It was Ada who came.", "answer_start": 7, "answer_text": "Ada"}
    other = {"question": "What?", "passage": "A ship came.", "answer_start": 2, "answer_text": "ship"}
    spans.write_text(json.dumps(record) + "\n" + json.dumps(other) + "\n")
    examples = read_reader_examples([mined, spans], 1, 0)
    assert len(examples) == len(EXAMPLES) + 2
    assert examples[0].positives == (MarkedPassage("", "It was Ada who came.", ((7, 10),)),)
    assert examples[0].negatives == (MarkedPassage("", "A ship came."),)


def test_chunks_give_the_gradients_of_one_batch_by_autograd(tiny_model: Path, mined: Path) -> None:
    """Against the obvious way: all rows padded to one batch, one graph."""
    settings = replace(SETTINGS, alone_weight=0.5, chunk_tokens=64)
    trained = objective(tiny_model, mined, settings)
    assert len(list(trained._chunks(trained._draws(*full(trained))))) > 2
    questions = [trained._rows_of(draw) for draw in trained._draws(*full(trained))]
    assert [len(question.others) for question in questions] == [2] * 4 + [0] * 4
    rows = [row for question in questions for row in (question.positive, *question.others)]
    ids, types, mask = (torch.from_numpy(a).long() for a in pad([row.sequence for row in rows], trained._tokenizer.pad))
    logits = trained.network(ids, types, mask)
    L, place, span_losses, selections = ids.shape[1], 0, [], []
    for question in questions:
        start, end = logits[place, 1 : 1 + L], logits[place, 1 + L :]
        text = slice(*question.positive.text)
        start, end = start - start[text].logsumexp(0), end - end[text].logsumexp(0)
        span_losses.append(-torch.stack([start[i] + end[j] for i, j in question.positive.answers]).logsumexp(0))
        if question.others:
            selected = logits[place : place + 3, 0]
            wanted = torch.tensor([1.0, 0, 0])
            alone = torch.nn.functional.binary_cross_entropy_with_logits(selected, wanted)
            selections.append(selected.logsumexp(0) - selected[0] + 0.5 * alone)
        place += 1 + len(question.others)
    loss = torch.stack(span_losses).mean() + torch.stack(selections).mean()
    loss.backward()
    expected = {
        name: p.grad.to_dense().numpy().copy() for name, p in trained.network.named_parameters() if p.grad is not None
    }
    assert_same(gradients(objective(tiny_model, mined, settings)), (loss.item(), expected))


WORKER = """
import sys, torch
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import test_reader_training as t
from opendpr.training import distributed
torch.set_num_threads(1)
distributed.start(torch.device("cpu"))
of = t.objective(Path(sys.argv[2]), Path(sys.argv[3]))
loss = of.backward(t.full(of), t.Step(5, 0.0, False))
distributed.add_up_gradients(of.network)
found = {name: p.grad for name, p in of.network.named_parameters()}
if distributed.rank() == 0:
    torch.save({"loss": torch.tensor(loss), **found}, sys.argv[4])
distributed.stop()
"""


def test_two_processes_give_the_gradients_of_one(tiny_model: Path, mined: Path, tmp_path: Path) -> None:
    result = tmp_path / "gradients.pt"
    assert run_together(WORKER, Path(__file__).parent, tiny_model, mined, result) == [(0, "")] * 2
    shared = torch.load(result, weights_only=True)
    loss = shared.pop("loss").item()
    assert_same(
        (loss, {name: value.numpy() for name, value in shared.items()}), gradients(objective(tiny_model, mined))
    )


def test_an_answer_cut_by_a_windows_edge_does_not_count(tiny_model: Path, mined: Path) -> None:
    trained = objective(tiny_model, mined)
    trained._config = replace(trained._config, max_tokens=24, stride_tokens=4)
    words = " ".join(f"w{n}" for n in range(20))
    passage = MarkedPassage("", f"{words} here", ((0, 2), (3, 5), (6, 8), (len(words) + 1, len(words) + 5)))
    (row,) = trained._rows([("Where?", passage)])
    assert len(row.answers) == 3
    assert all(row.text[0] <= first <= last < row.text[1] for first, last in row.answers)


def test_validation_measures_the_best_answer_of_a_network_in_training(tiny_model: Path, mined: Path) -> None:
    model = Model(tiny_model)
    trained = objective(tiny_model, mined)
    examples = read_reader_examples([mined], 0, 0)
    tokenizer = Tokenizer(model.tokenizer_path)
    figures = ReaderJudge(examples, model.require_reader(), tokenizer, torch.device("cpu")).judge(trained.network)
    reader = BertReader(model, RuntimeSettings("openvino", "fp32"))
    right = 0
    for example in examples:
        passages = [*example.positives, *example.negatives]
        hits = [Hit(Passage(n, str(n), passage.title, passage.text, 0), 0.0) for n, passage in enumerate(passages)]
        (spans,) = reader.read([example.question.text], [hits])
        right += spans[0].text in example.question.answers
    assert figures["EM"] <= figures["F1"] <= 100
    assert abs(figures["EM"] - 100 * right / len(examples)) <= 100 * 3 / len(examples), "words found twice may win"


def test_a_pattern_counts_by_exact_match_in_a_validation(tiny_model: Path) -> None:
    """F1 decides which weights are kept, and the words of a pattern are not those of an answer."""
    model = Model(tiny_model)
    network = ReaderNetwork(model.require_reader().architecture)
    load_weights(network, model.load_weights("reader"))
    example = ReaderExample(Question("", "Who?", (r"\w+",), "regex"), (MarkedPassage("", "Ada"),), ())
    tokenizer = Tokenizer(model.tokenizer_path)
    judge = ReaderJudge([example], model.require_reader(), tokenizer, torch.device("cpu"))
    assert judge.judge(network) == {"F1": 100, "EM": 100}


def test_the_best_weights_on_the_dev_examples_are_written(tiny_model: Path, mined: Path, tmp_path: Path) -> None:
    settings = replace(SETTINGS, epochs=6, validations=4)
    model, training = train_reader([mined], tiny_model, output=tmp_path / "m", settings=settings, dev=mined)
    records = training.validations
    assert records[0]["step"] == 0
    assert training.best_step == max(records, key=lambda record: record["F1"])["step"]
    assert max(record["F1"] for record in records) > records[0]["F1"] + 20
    saved = json.loads((model.directory / "training.json").read_text())
    assert (saved["best_step"], saved["validations"]) == (training.best_step, records)
    judge = ReaderJudge(
        read_reader_examples([mined], 0, 0),
        model.require_reader(),
        Tokenizer(model.tokenizer_path),
        torch.device("cpu"),
    )
    network = ReaderNetwork(model.require_reader().architecture)
    load_weights(network, model.load_weights("reader"))
    assert judge.judge(network)["F1"] == pytest.approx(max(record["F1"] for record in records), abs=3)


def test_a_swapped_question_has_a_name_or_a_number_of_the_passage_that_it_did_not_have() -> None:
    generator = np.random.default_rng(0)
    question = Question("", "When did the poet Ada Byron leave for Rome in 1820?", ("12 May",))
    passage = "On 12 May 1820 the poet Ada Byron left Oslo for Rome; by 1822 she was in Lima."
    results = {swapped(question, passage, generator) for _ in range(200)}
    assert results == {
        "When did the poet Oslo leave for Rome in 1820?",
        "When did the poet Lima leave for Rome in 1820?",
        "When did the poet Ada Byron leave for Oslo in 1820?",
        "When did the poet Ada Byron leave for Lima in 1820?",
        "When did the poet Ada Byron leave for Rome in 1822?",
    }
    assert swapped(Question("", "what is it?"), passage, generator) is None


def test_examples_without_passages_to_tell_apart_are_refused_where_some_are_wanted(
    tiny_model: Path, mined: Path
) -> None:
    model = Model(tiny_model)
    alone = [ReaderExample(Question("", "Where?", ("Oslo",)), (MarkedPassage("", "In Oslo.", ((3, 7),)),), ())]
    network = ReaderNetwork(model.require_reader().architecture)
    tokenizer = Tokenizer(model.tokenizer_path)
    config = model.require_reader()
    with pytest.raises(InputError, match="give --negatives 0"):
        ReaderObjective(network, alone, tokenizer=tokenizer, config=config, settings=SETTINGS)
    fine = replace(SETTINGS, negatives=0)
    assert ReaderObjective(network, alone, tokenizer=tokenizer, config=config, settings=fine).examples == alone


def test_frozen_layers_and_embeddings_stay_and_the_others_learn(tiny_model: Path, mined: Path, tmp_path: Path) -> None:
    base = Model(tiny_model)
    settings = replace(SETTINGS, frozen_layers=1, wordings_share=0.5)
    model, _ = train_reader([mined], base, output=tmp_path / "m", settings=settings)
    before = base.load_weights("reader" if base.reader else "passage")
    after = model.load_weights("reader")
    same = {name for name, value in before.items() if np.allclose(after[name], value, atol=1e-3)}
    kept = {name for name in before if name.startswith(("embeddings.", "encoder.layer.0."))}
    assert kept <= same
    assert len(same) < len(before)


ROW = {"id": "1", "question": "Who?", "context": "by Ada", "answers": {"text": ["Ada"], "answer_start": [3]}}
ARTICLE = {"title": "T", "paragraphs": [{"context": "by Ada", "qas": [{**ROW, "answers": ROW["answers"]}]}]}
PASSAGES = {"question": "Who?", "answers": ["Ada"], "positive_ctxs": [{"text": "by Ada"}]}
RESULTS = {
    "question": "Who?",
    "answers": ["Ada"],
    "ctxs": [{"id": 1, "text": "by Ada", "score": 1, "has_answer": True}],
}


@pytest.mark.parametrize(
    "content",
    [
        json.dumps([ROW]),
        json.dumps([ROW], indent=1),
        json.dumps({"version": "2", "data": [ARTICLE]}, indent=4),
        json.dumps([PASSAGES], indent=1),
        json.dumps(PASSAGES, indent=1),
        json.dumps({"query": "Who?", "answers": ["Ada"], "positive_passages": [{"docid": "1", "text": "by Ada"}]}),
        json.dumps([RESULTS], indent=1),
    ],
    ids=["array of rows", "indented rows", "indented SQuAD", "DPR", "DPR, one object", "Tevatron", "DPR's results"],
)
def test_every_form_of_file_that_marks_or_holds_passages_trains_a_reader(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.json").write_text(content)
    (example,) = read_reader_examples([tmp_path / "a.json"], 0, 0)
    assert [(passage.text, passage.places) for passage in example.positives] == [("by Ada", ((3, 6),))]
