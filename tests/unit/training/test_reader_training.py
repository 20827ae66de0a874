"""Training the reader: losses by hand, gradients in chunks and over processes, validation, what stays frozen."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from encoder_examples import assert_same
from opendpr.errors import UsageError
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
from opendpr.types import ExamplePassage, Hit, Passage, Question, TrainingExample
from reader_examples import (
    EXAMPLES,
    SETTINGS,
    TAUGHT,
    full,
    gradients,
    gradients_of,
    reader_objective,
    taught_objective,
)
from training_processes import run_together

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def mined(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mined") / "mined.jsonl"
    write_examples(path, EXAMPLES, "jsonl")
    return path


def objective(model: Path, mined: Path, settings: ReaderSettings = SETTINGS) -> ReaderObjective:
    return reader_objective(model, read_reader_examples([mined], settings.negatives, settings.seed), settings)


def test_the_span_loss_that_was_set_is_the_one_that_is_learned(tiny_model: Path, mined: Path) -> None:
    trained = objective(tiny_model, mined, replace(SETTINGS, negatives=0))
    usual, _ = gradients(trained)
    trained.span_loss = lambda *logits, answers, counted: 3 * span_loss(*logits, answers=answers, counted=counted)
    tripled, _ = gradients(trained)
    assert tripled == pytest.approx(3 * usual)


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
    assert_same(gradients(objective(tiny_model, mined, settings)), (loss.item(), gradients_of(trained)))


def taught(model: Path, mined: Path) -> ReaderObjective:
    return taught_objective(model, read_reader_examples([mined], TAUGHT.negatives, TAUGHT.seed), TAUGHT)


WORKER = """
import sys, torch
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import test_reader_training as t
from opendpr.training import distributed
torch.set_num_threads(1)
distributed.start(torch.device("cpu"))
of = t.taught(Path(sys.argv[2]), Path(sys.argv[3]))
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
    assert_same((loss, {name: value.numpy() for name, value in shared.items()}), gradients(taught(tiny_model, mined)))


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
