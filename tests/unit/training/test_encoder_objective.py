"""What encoders are trained on: losses by hand, gradients in chunks and over processes, pairs. fp32 on a CPU."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from encoder_examples import EXAMPLES, SETTINGS, SMALL_GIB, assert_same, gradients, objective, source
from opendpr.collection import open_collection
from opendpr.model.batches import LENGTH_STEP
from opendpr.model.config import Architecture, EncoderConfig
from opendpr.model.directory import Model
from opendpr.model.encoder import BertEncoder, EncoderInput
from opendpr.model.runtime import RuntimeSettings
from opendpr.model.tokenizer import Tokenizer
from opendpr.model.torch import EncoderNetwork, _dropout
from opendpr.training.chunks import graph_bytes
from opendpr.training.encoder_objective import lay_out
from opendpr.training.losses import likelihood_loss
from opendpr.training.pool import DevPool
from opendpr.training.sources import ExampleSource, InverseClozeSource, Pair
from opendpr.types import ExamplePassage
from training_processes import run_together
from training_runs import random_batch, tensors

pytestmark = pytest.mark.usefixtures("one_thread")


def test_the_likelihood_loss_is_equation_2_by_hand() -> None:
    questions, passages, positives, excluded = random_batch()
    expected = 0.0
    for i in range(3):
        scores = {j: 1.5 * float(questions[i] @ passages[j]) for j in range(5) if not excluded[i, j]}
        expected -= scores[i] - np.log(sum(np.exp(score) for score in scores.values()))
    loss = likelihood_loss(**tensors(questions, passages, positives, excluded), scale=1.5)
    assert loss.item() == pytest.approx(expected / 3)


def test_the_gradient_of_the_likelihood_loss_is_softmax_minus_one_hot() -> None:
    questions, passages, positives, excluded = map(torch.from_numpy, random_batch())
    questions.requires_grad_()
    likelihood_loss(questions, passages, positives, excluded=excluded, scale=2.0).backward()
    shares = (2.0 * questions.detach() @ passages.T).masked_fill(excluded, -torch.inf).softmax(1)
    shares[torch.arange(3), positives] -= 1
    np.testing.assert_allclose(questions.grad.numpy(), (2.0 / 3 * shares @ passages).numpy(), atol=1e-12)


@pytest.mark.parametrize("untie", [False, True])
@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_gradients_computed_in_two_goes_are_the_plain_gradients(tiny_model: Path, untie: bool, dropout: float) -> None:
    settings = replace(SETTINGS, untie=untie, memory_gib=1.0, chunk_tokens=64)
    plain = gradients(objective(tiny_model, settings), dropout)
    for memory_gib in (1e-9, SMALL_GIB):
        assert_same(gradients(objective(tiny_model, replace(settings, memory_gib=memory_gib)), dropout), plain)


def test_chunks_come_in_few_lengths_and_what_fills_them_changes_no_gradient(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained, shapes = objective(tiny_model, replace(SETTINGS, chunk_tokens=64)), []
    trained.network.question.register_forward_pre_hook(lambda _, inputs: shapes.append(inputs[0].shape))
    padded = gradients(trained)
    assert {length % LENGTH_STEP for _, length in shapes} == {0}
    assert all(rows * length <= 64 for rows, length in shapes)
    monkeypatch.setattr("opendpr.model.batches.LENGTH_STEP", 1)
    assert_same(gradients(objective(tiny_model, replace(SETTINGS, chunk_tokens=64))), padded)


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.9])
def test_dropout_drops_its_share_keeps_the_mean_and_obeys_the_seed(share: float) -> None:
    def drawn() -> torch.Tensor:
        torch.manual_seed(1)
        return _dropout(torch.ones(300, 7, 333), share)

    assert (drawn() == 0).float().mean().item() == pytest.approx(share, abs=0.004)
    assert drawn().mean().item() == pytest.approx(1, abs=0.01)
    assert torch.equal(drawn(), drawn())


@pytest.mark.parametrize("bf16", [False, True])
@pytest.mark.parametrize("length", [16, 256])
def test_what_a_graph_is_said_to_take_is_what_autograd_keeps(length: int, bf16: bool) -> None:
    network = EncoderNetwork(
        EncoderConfig(Architecture(100, 96, 6, 3, 384), pooling="mean", similarity="cosine", tied=True)
    )
    weights = {parameter.untyped_storage().data_ptr() for parameter in network.parameters()}
    kept: dict[int, torch.Tensor] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        kept.setdefault(tensor.untyped_storage().data_ptr(), tensor)
        return tensor

    ids = torch.zeros(4, length, dtype=torch.int64)
    hooks = torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor)
    with hooks, torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
        network(ids, ids, ids + 1, 0.1)
    kept_bytes = sum(tensor.untyped_storage().nbytes() for place, tensor in kept.items() if place not in weights)
    assert kept_bytes <= graph_bytes(network, ids.shape, bf16) <= 1.3 * kept_bytes


def test_chunks_give_the_gradients_of_one_batch_by_autograd(tiny_model: Path) -> None:
    """Against the obvious way: all sequences padded to one batch each, one graph."""
    trained = objective(tiny_model)
    numbers, seed = trained.batches(0)[0]
    passages, positives, excluded = lay_out(source().pairs(numbers, np.random.default_rng(seed)))
    from opendpr.model.batches import pad

    inputs = EncoderInput(Model(tiny_model).require_encoder(), Tokenizer(Model(tiny_model).tokenizer_path))
    vectors = []
    texts = [EXAMPLES[number].question.text for number in numbers]
    for sequences in (inputs.questions(texts), inputs.passages(passages)):
        ids, types, mask = (torch.from_numpy(a).long() for a in pad(sequences, inputs.tokenizer.pad))
        vectors.append(trained.network.question(ids, types, mask))
    likelihood_loss(*vectors, torch.from_numpy(positives), excluded=torch.from_numpy(excluded), scale=20.0).backward()
    expected = {
        name: p.grad.to_dense().numpy().copy() for name, p in trained.network.named_parameters() if p.grad is not None
    }
    assert_same((0.0, gradients(objective(tiny_model))[1]), (0.0, expected))


WORKER = """
import sys, torch
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import test_encoder_objective as t
from opendpr.training import distributed
from opendpr.training.objective import Step
torch.set_num_threads(1)
distributed.start(torch.device("cpu"))
trained = t.objective(Path(sys.argv[2]), t.replace(t.SETTINGS, memory_gib=t.SMALL_GIB))
loss = trained.backward(trained.batches(0)[0], Step(5, 0.0, False))
distributed.add_up_gradients(trained.network)
gradients = {name: p.grad for name, p in trained.network.named_parameters()}
if distributed.rank() == 0:
    torch.save({"loss": torch.tensor(loss), **gradients}, sys.argv[3])
distributed.stop()
"""


def test_two_processes_give_the_gradients_of_one(tiny_model: Path, tmp_path: Path) -> None:
    result = tmp_path / "gradients.pt"
    assert run_together(WORKER, Path(__file__).parent, tiny_model, result) == [(0, "")] * 2
    shared = torch.load(result, weights_only=True)
    loss = shared.pop("loss").item()
    expected = gradients(objective(tiny_model))
    touched = {name: value.numpy() for name, value in shared.items() if name in expected[1]}
    assert_same((loss, touched), expected)


def test_a_passage_that_two_questions_share_is_one_row_and_no_negative_of_either() -> None:
    first, second, third = (ExamplePassage("", text) for text in ("one", "two", "three"))
    pairs = [Pair("a", first, [third], [second]), Pair("b", second, [first]), Pair("c", first)]
    passages, positives, excluded = lay_out(pairs)
    assert [passage.text for passage in passages] == ["one", "two", "three"]
    assert positives.tolist() == [0, 1, 0]
    assert excluded.tolist() == [[False, True, False], [False, False, False], [False, False, False]]


def test_what_answers_a_question_is_no_negative_of_the_same_question() -> None:
    first, second, third = (ExamplePassage("", text) for text in ("one", "two", "three"))
    _, positives, excluded = lay_out([Pair("a", first, [third]), Pair("a", second, [first]), Pair("b", third)])
    assert positives.tolist() == [0, 1, 2]
    assert excluded.tolist() == [[False, True, False], [True, False, False], [False, False, False]]


def test_weights_say_how_often_an_epoch_goes_over_a_set() -> None:
    sets = ExampleSource([EXAMPLES[:4], EXAMPLES[4:8], EXAMPLES[8:12]], [2.0, 0.5, 1.0], 0)
    order = sets.order(np.random.default_rng(0)).tolist()
    counts = [sum(first <= number < first + 4 for number in order) for first in (0, 4, 8)]
    assert counts == [8, 2, 4]
    assert all(order.count(number) == 2 for number in range(4))


def test_an_epoch_is_the_same_whenever_it_is_asked_for_and_another_one_differs(tiny_model: Path) -> None:
    trained = objective(tiny_model)
    again, other = trained.batches(1), trained.batches(2)
    for (numbers, seed), (same_numbers, same_seed) in zip(trained.batches(1), again, strict=True):
        assert numbers.tolist() == same_numbers.tolist()
        assert seed == same_seed
    assert [n.tolist() for n, _ in other] != [n.tolist() for n, _ in again]
    assert sorted(np.concatenate([n for n, _ in again])) == list(range(len(EXAMPLES)))
    assert {len(n) for n, _ in again} == {8}


def test_a_pool_ranks_by_the_best_positive(tiny_model: Path) -> None:
    trained = objective(tiny_model)
    pairs = source(3).pairs(np.arange(12), np.random.default_rng(0))
    inputs = EncoderInput(Model(tiny_model).require_encoder(), Tokenizer(Model(tiny_model).tokenizer_path))
    figures = DevPool(pairs, [ExamplePassage("", "Nothing at all.")]).judge(
        trained.network, inputs, torch.device("cpu")
    )
    encoder = BertEncoder(Model(tiny_model), RuntimeSettings("torch", "fp32", "cpu"))
    texts = list({(p.title, p.text): p for pair in pairs for p in (pair.positive, *pair.negatives)}.values())
    texts.append(ExamplePassage("", "Nothing at all."))
    scores = encoder.encode_questions([pair.question for pair in pairs]) @ encoder.encode_passages(texts).T
    own = [texts.index(pair.positive) for pair in pairs]
    ranks = np.array([1 + (row > row[place]).sum() for row, place in zip(scores, own, strict=True)])
    assert figures["average rank"] == pytest.approx(ranks.mean())
    assert figures["reciprocal rank"] == pytest.approx((1 / ranks).mean())
    assert figures["top-5"] == pytest.approx(100 * (ranks <= 5).mean())


def test_an_inverse_cloze_pair_is_a_sentence_and_mostly_the_passage_without_it(
    tmp_path: Path, run: Any, tiny_model: Path
) -> None:
    text = "The first sentence is about ships at sea. The second one tells of trains. A third ends it all now."
    (tmp_path / "a.txt").write_text(text)
    (tmp_path / "b.txt").write_text("Only one sentence stands here")
    assert run("add", tmp_path / "c", tmp_path / "a.txt", tmp_path / "b.txt", "--model", tiny_model).returncode == 0
    with open_collection(tmp_path / "c") as collection:
        cloze = InverseClozeSource(collection)
        generator = np.random.default_rng(0)
        numbers = cloze.order(generator)
        assert len(numbers) == 1
        pairs = [cloze.pairs(numbers, generator)[0] for _ in range(400)]
    kept = 0
    for pair in pairs:
        assert pair.question in text
        assert 5 <= len(pair.question.split()) <= 60
        kept += pair.question in pair.positive.text
        assert pair.positive.text in (text, " ".join(text.replace(pair.question, "").split()))
    assert 20 <= kept <= 65
    assert len({pair.question for pair in pairs}) == 3
