"""What a teacher adds to the loss of the encoders, and where its scores come from. fp32 on a CPU."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from encoder_examples import EXAMPLES, SETTINGS, SMALL_GIB, assert_same, gradients, source
from opendpr.api.training import train_encoder
from opendpr.errors import InputError, OpendprError, StateError, UsageError
from opendpr.model.batches import pad
from opendpr.model.config import RerankerConfig
from opendpr.model.directory import Model, write_reranker, write_weights
from opendpr.model.encoder import EncoderInput
from opendpr.model.reader import BertReader
from opendpr.model.reranker import CrossEncoder
from opendpr.model.runtime import RuntimeSettings
from opendpr.model.tokenizer import Tokenizer
from opendpr.training import distributed
from opendpr.training.encoder import encoder_teacher
from opendpr.training.encoder_objective import epoch_batches, lay_out, own_candidates
from opendpr.training.losses import teacher_loss
from opendpr.training.settings import EncoderSettings
from opendpr.training.sources import Candidates, ExampleSource, InverseClozeSource, Pair
from opendpr.training.teacher import Teacher
from opendpr.training.teaching import SCORES_FILE, teacher_scores
from opendpr.types import ExamplePassage, Hit, Passage
from taught import TAUGHT, taught_objective, train_taught
from training_processes import run_together
from training_runs import CPU, Killed, started, without_reader

pytestmark = pytest.mark.usefixtures("one_thread")


def test_the_teacher_loss_worked_out_on_paper() -> None:
    """The teacher says 3/4 and 1/4, the encoders 1/2 each: KL = 3/4 ln(3/2) + 1/4 ln(1/2) = 0.13081.

    The second question has a candidate alone, which takes all of both distributions, so the mean is half of that.
    """
    questions = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    passages = torch.tensor([[0.5, 0.0], [0.5, 9.0], [3.0, 3.0]])
    teacher = torch.tensor([[math.log(3.0), 0.0], [5.0, -torch.inf]])
    candidates = torch.tensor([[0, 1], [2, 0]])
    loss = teacher_loss(questions, passages, candidates, teacher=teacher, scale=4.0)
    assert loss.item() == pytest.approx((0.75 * math.log(1.5) + 0.25 * math.log(0.5)) / 2, abs=1e-6)
    assert loss.item() == pytest.approx(0.065406, abs=1e-6)


def test_the_teacher_loss_is_the_kl_divergence_written_out() -> None:
    generator = np.random.default_rng(0)
    questions, passages = generator.normal(0, 1, (5, 4)), generator.normal(0, 1, (9, 4))
    candidates, teacher = generator.integers(0, 9, (5, 3)), generator.normal(0, 3, (5, 3))
    teacher[1, 2] = teacher[3, 1] = teacher[3, 2] = -np.inf
    expected = 0.0
    for row in range(5):
        there = [place for place in range(3) if np.isfinite(teacher[row, place])]
        p = [np.exp(teacher[row, place]) for place in there]
        q = [np.exp(1.5 * questions[row] @ passages[candidates[row, place]]) for place in there]
        expected += sum(a / sum(p) * np.log((a / sum(p)) / (b / sum(q))) for a, b in zip(p, q, strict=True))
    arrays = map(torch.from_numpy, (questions, passages, candidates))
    loss = teacher_loss(*arrays, teacher=torch.from_numpy(teacher), scale=1.5)
    assert loss.item() == pytest.approx(expected / 5)


def test_the_gradient_of_the_teacher_loss_is_the_difference_of_the_distributions() -> None:
    generator = np.random.default_rng(1)
    questions = torch.from_numpy(generator.normal(0, 1, (3, 4))).requires_grad_()
    passages, teacher = (torch.from_numpy(generator.normal(0, 1, shape)) for shape in ((6, 4), (3, 2)))
    teacher[2, 1] = -torch.inf
    candidates = torch.tensor([[0, 3], [1, 4], [2, 5]])
    teacher_loss(questions, passages, candidates, teacher=teacher, scale=2.0).backward()
    own = passages[candidates]  # (Q, c, d)
    scores = 2.0 * (questions.detach()[:, None] * own).sum(2)
    shares = scores.masked_fill(teacher == -torch.inf, -torch.inf).softmax(1) - teacher.softmax(1)
    np.testing.assert_allclose(questions.grad.numpy(), (2.0 / 3 * shares[:, :, None] * own).sum(1), atol=1e-12)


def test_candidates_are_the_positive_and_the_negatives_of_the_question_itself() -> None:
    first, second, third, fourth = (ExamplePassage("", text) for text in ("one", "two", "three", ""))
    pairs = [
        Pair("a", first, [third], scores=[2.0, -1.0]),
        Pair("b", second, [first, fourth], scores=[0.5, 3.0, -np.inf]),
        Pair("c", third, scores=[-np.inf]),
    ]
    passages, _, _ = lay_out(pairs)
    rows, logits = own_candidates(pairs, passages)
    texts = [[passages[row].text for row in own] for own in rows]
    assert [own[:2] for own in texts[:2]] == [["one", "three"], ["two", "one"]]
    assert logits.tolist() == [[2.0, -1.0, -np.inf], [0.5, 3.0, -np.inf], [0.0, -np.inf, -np.inf]]


def test_a_pair_has_the_scores_of_what_was_drawn_for_it() -> None:
    scores = [np.arange(4, dtype=np.float32) + 10 * number for number in range(len(EXAMPLES))]
    plain, taught = source(2), source(2).with_scores(scores)
    numbers = np.array([5, 0, 5])
    for pair, other in zip(
        taught.pairs(numbers, np.random.default_rng(3)), plain.pairs(numbers, np.random.default_rng(3)), strict=True
    ):
        assert pair._replace(scores=()) == other
        example = next(example for example in EXAMPLES if example.question.text == pair.question)
        places = [(*example.positives, *example.hard_negatives).index(p) for p in (pair.positive, *pair.negatives)]
        assert pair.scores == [10 * EXAMPLES.index(example) + place for place in places]
        assert len(places) == 3


def test_the_teacher_counts_its_share_of_the_loss(tiny_model: Path) -> None:
    losses = {share: gradients(taught_objective(tiny_model, replace(TAUGHT, teacher_share=share))) for share in (0, 1)}
    mixed = gradients(taught_objective(tiny_model))
    both = {name: 0.75 * value + 0.25 * losses[1][1][name] for name, value in losses[0][1].items()}
    assert_same(mixed, (0.75 * losses[0][0] + 0.25 * losses[1][0], both))
    assert abs(losses[1][0] - losses[0][0]) > 0.1


def test_a_softer_teacher_has_smaller_scores(tiny_model: Path) -> None:
    trained = taught_objective(tiny_model, replace(TAUGHT, teacher_share=1.0, teacher_temperature=2.0))
    pairs = trained._pairs(trained.batches(0)[0])
    passages, _, _ = lay_out(pairs)
    inputs = EncoderInput(Model(tiny_model).require_encoder(), Tokenizer(Model(tiny_model).tokenizer_path))
    vectors = []
    for sequences in (inputs.questions([pair.question for pair in pairs]), inputs.passages(passages)):
        ids, types, mask = (torch.from_numpy(a).long() for a in pad(sequences, inputs.tokenizer.pad))
        vectors.append(trained.network.question(ids, types, mask).detach().numpy())
    expected = 0.0
    for row, pair in enumerate(pairs):
        own = [passages.index(passage) for passage in (pair.positive, *pair.negatives)]
        p, q = (np.exp(x) for x in (np.array(pair.scores) / 2, 20 * vectors[1][own] @ vectors[0][row]))
        expected += (p / p.sum() * np.log((p / p.sum()) / (q / q.sum()))).sum()
    assert gradients(trained)[0] == pytest.approx(expected / len(pairs), rel=1e-4)


@pytest.mark.parametrize("memory_gib", [1e-9, SMALL_GIB])
def test_gradients_computed_in_two_goes_are_the_plain_gradients(tiny_model: Path, memory_gib: float) -> None:
    settings = replace(TAUGHT, memory_gib=1.0, chunk_tokens=64)
    plain = gradients(taught_objective(tiny_model, settings))
    assert_same(gradients(taught_objective(tiny_model, replace(settings, memory_gib=memory_gib))), plain)


WORKER = """
import sys, torch
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import test_teacher as t
from opendpr.training import distributed
from opendpr.training.objective import Step
torch.set_num_threads(1)
distributed.start(torch.device("cpu"))
trained = t.taught_objective(Path(sys.argv[2]), t.replace(t.TAUGHT, memory_gib=t.SMALL_GIB))
loss = trained.backward(trained.batches(0)[0], Step(5, 0.0, False))
distributed.add_up_gradients(trained.network)
gradients = {name: p.grad for name, p in trained.network.named_parameters()}
scores = t.scores_of(Path(sys.argv[2]), Path(sys.argv[4]))
if distributed.rank() == 0:
    torch.save({"loss": torch.tensor(loss), "scores": torch.from_numpy(scores), **gradients}, sys.argv[3])
distributed.stop()
"""


def scores_of(model: Path, folder: Path) -> np.ndarray:
    """All scores of a teacher, after one another."""
    teacher, candidates = Teacher(Model(model)), source(3).candidates()
    wanted = [(number, range(4)) for number in range(len(candidates))]
    return np.concatenate(teacher_scores(teacher, candidates, wanted, started(folder)))


def test_two_processes_give_the_scores_and_the_gradients_of_one(tiny_model: Path, tmp_path: Path) -> None:
    result = tmp_path / "gradients.pt"
    assert run_together(WORKER, Path(__file__).parent, tiny_model, result, tmp_path / "together") == [(0, "")] * 2
    shared = torch.load(result, weights_only=True)
    loss, scores = shared.pop("loss").item(), shared.pop("scores").numpy()
    expected = gradients(taught_objective(tiny_model))
    touched = {name: value.numpy() for name, value in shared.items() if name in expected[1]}
    assert_same((loss, touched), expected)
    np.testing.assert_allclose(scores, scores_of(tiny_model, tmp_path / "alone"), atol=1e-2)


def test_a_teacher_scores_as_its_reader_selects(tiny_model: Path, tmp_path: Path) -> None:
    reader = BertReader(Model(tiny_model))
    scores = scores_of(tiny_model, tmp_path).reshape(-1, 4)
    for example, own in list(zip(EXAMPLES, scores, strict=True))[:3]:
        for place, passage in enumerate((*example.positives, *example.hard_negatives)):
            (spans,) = reader.read([example.question.text], [[Hit(Passage(0, "", passage.title, passage.text, 0), 0)]])
            assert own[place] == pytest.approx(spans[0].passage_score, abs=0.02)


def test_a_passage_of_several_windows_has_the_score_of_its_best_and_one_without_text_has_none(tiny_model: Path) -> None:
    long = ExamplePassage("Ada", " ".join(f"Ada went to Oslo {number} times." for number in range(120)))
    score = Teacher(Model(tiny_model)).load(CPU)
    ((many, none),) = score([Candidates("Where did Ada go?", [long, ExamplePassage("", "")])])
    passage = Passage(0, "", long.title, long.text, 0)
    (spans,) = BertReader(Model(tiny_model)).read(["Where did Ada go?"], [[Hit(passage, 0.0)]])
    assert many == pytest.approx(spans[0].passage_score, abs=1e-3)
    assert none == -np.inf


def test_a_re_ranker_teaches_too(tiny_model: Path, tmp_path: Path) -> None:
    base = Model(tiny_model)
    shape = base.require_encoder().architecture
    generator = np.random.default_rng(3)
    heads = {"pooler.dense": (shape.hidden_size, shape.hidden_size), "classifier": (1, shape.hidden_size)}
    weights = dict(base.load_weights("question"))
    for name, size in heads.items():
        weights[f"{name}.weight"], weights[f"{name}.bias"] = generator.normal(0, 0.3, size), np.zeros(size[0])
    model = write_reranker(tmp_path / "cross", base.tokenizer_path, RerankerConfig(shape), weights)
    assert Teacher(model).record()["part"] == "reranker"
    passages = [ExamplePassage("", "In Oslo."), ExamplePassage("", "Nobody went by train.")]
    (scores,) = Teacher(model).load(CPU)([Candidates("Who went?", passages)])
    expected = CrossEncoder(model, RuntimeSettings(device="cpu")).score(
        "Who went?", [Passage(0, "", p.title, p.text, 0) for p in passages]
    )
    np.testing.assert_array_equal(scores, expected)


def test_only_what_the_training_draws_is_scored(tiny_model: Path, tmp_path: Path) -> None:
    """Two of the three batches of an epoch, of 8 questions, a negative each."""
    settings = replace(SETTINGS, epochs=0.5, hard_negatives=1, teacher=str(tiny_model))
    teacher = encoder_teacher(source(1), settings)
    assert teacher
    reported: list[tuple[int, int]] = []
    start = started(tmp_path, lambda done, total: reported.append((done, total)))
    batches = partial(epoch_batches, source(1), settings)
    taught = teacher.taught(source(1), batches, start)
    scores = np.concatenate(taught._scores)
    assert np.isfinite(scores).sum() == 32
    assert reported == [(0, 32), (32, 32)]
    reported.clear()
    again = teacher.taught(source(1), batches, start)
    assert reported == []
    np.testing.assert_array_equal(np.concatenate(again._scores), scores)


def test_a_scoring_that_was_left_goes_on(tiny_model: Path, tmp_path: Path) -> None:
    whole = scores_of(tiny_model, tmp_path / "whole")
    teacher, candidates = Teacher(Model(tiny_model)), source(3).candidates()
    wanted = [(number, range(4)) for number in range(len(candidates))]

    def leave(done: int, total: int) -> None:
        if 0 < done < total:
            kept.append(done)
        elif done == total:
            raise Killed

    kept: list[int] = []
    with pytest.raises(Killed):
        teacher_scores(teacher, candidates, wanted, started(tmp_path / "left", leave))
    assert kept == [64]
    counts: list[tuple[int, int]] = []
    start = started(tmp_path / "left", lambda done, total: counts.append((done, total)))
    scores = teacher_scores(teacher, candidates, wanted, start)
    assert counts == [(0, 32), (32, 32)]
    np.testing.assert_array_equal(np.concatenate(scores), whole)


def test_scores_of_another_teacher_of_other_examples_and_damaged_ones_are_refused(
    tiny_model: Path, other_model: Path, tmp_path: Path
) -> None:
    scores_of(tiny_model, tmp_path)
    with pytest.raises(StateError, match="holds the scores of another teacher or of other examples"):
        scores_of(other_model, tmp_path)
    with pytest.raises(StateError, match="holds the scores of another teacher or of other examples"):
        teacher_scores(Teacher(Model(tiny_model)), source(3, EXAMPLES[::-1]).candidates(), [], started(tmp_path))
    (tmp_path / SCORES_FILE).write_bytes(b"nothing")
    with pytest.raises(StateError, match=r"teacher\.safetensors cannot be read .* remove it"):
        scores_of(tiny_model, tmp_path)


@pytest.mark.parametrize("score", ["nan", "inf"])
def test_scores_that_are_no_numbers_are_refused(tiny_model: Path, tmp_path: Path, score: str) -> None:
    shutil.copytree(tiny_model, tmp_path / "tiny")
    model = Model(tmp_path / "tiny")
    weights = model.load_weights("reader")
    write_weights(tmp_path / "tiny" / "reader", {**weights, "qa_classifier.bias": np.full(1, float(score))})
    with pytest.raises(OpendprError, match=f"the reader network of tiny gives {score}, expected numbers"):
        Teacher(model).load(CPU)([Candidates("Where?", [ExamplePassage("", "In Oslo.")])])


def test_a_teacher_without_a_reader_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    teacher = without_reader(tiny_model, tmp_path / "plain")
    with pytest.raises(StateError, match=r"the teacher tiny \(.*plain\) has neither a reader nor a re-ranker"):
        train_encoder(EXAMPLES, tiny_model, output=tmp_path / "m", settings=replace(TAUGHT, teacher=teacher))


def test_without_hard_negatives_a_teacher_has_nothing_to_compare(
    tiny_model: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(UsageError, match="hard_negatives is 0, but a teacher compares"):
        EncoderSettings(hard_negatives=0, teacher="m")
    settings = replace(TAUGHT, teacher=str(tiny_model))
    bare = [replace(example, hard_negatives=()) for example in EXAMPLES]
    with pytest.raises(InputError, match="none of 24 examples has a hard negative"):
        encoder_teacher(source(3, bare), settings)
    encoder_teacher(ExampleSource([bare[:2], EXAMPLES[:3]], [1.0, 1.0], 3), settings)
    assert "2 examples of 5 without a hard negative" in caplog.text
    with pytest.raises(UsageError, match="the sentences of a collection have none"):
        encoder_teacher(InverseClozeSource.__new__(InverseClozeSource), settings)


@pytest.mark.parametrize(
    ("name", "value"), [("teacher_share", -0.1), ("teacher_share", 1.5), ("teacher_temperature", 0.0)]
)
def test_a_share_or_temperature_that_makes_no_sense_is_refused(name: str, value: float) -> None:
    with pytest.raises(UsageError, match=f"{name} must"):
        EncoderSettings(**{name: value})


def test_a_share_of_0_is_no_teacher_to_the_bit(tiny_model: Path, other_model: Path, tmp_path: Path) -> None:
    settings = replace(SETTINGS, epochs=1, hard_negatives=3)
    losses, plain, _ = train_taught(tiny_model, tmp_path / "plain", settings)
    named = replace(settings, teacher=str(other_model), teacher_share=0.0)
    same, model, _ = train_taught(tiny_model, tmp_path / "share-0", named)
    assert same == losses
    for name, value in plain.load_weights("question").items():
        np.testing.assert_array_equal(model.load_weights("question")[name], value)
    assert json.loads((model.directory / "training.json").read_text())["teacher"] is None


def test_a_training_with_a_teacher_that_was_left_goes_on_as_if_nothing_had_happened(
    tiny_model: Path, other_model: Path, tmp_path: Path
) -> None:
    settings = replace(SETTINGS, hard_negatives=2, teacher=str(other_model), teacher_share=0.5)
    losses, whole, _ = train_taught(tiny_model, tmp_path / "whole", settings)
    assert len(losses) == 6
    with pytest.raises(Killed):
        train_taught(tiny_model, tmp_path / "left", settings, kill_at=4)
    kept = (tmp_path / "left" / "checkpoints" / SCORES_FILE).read_bytes()
    moved = shutil.copytree(other_model, tmp_path / "moved")
    with pytest.raises(StateError, match="was made with teacher = "):
        train_taught(tiny_model, tmp_path / "left", replace(settings, teacher_share=0.25))
    _, model, training = train_taught(tiny_model, tmp_path / "left", replace(settings, teacher=str(moved)))
    assert training.losses == losses
    for name, value in whole.load_weights("question").items():
        np.testing.assert_array_equal(model.load_weights("question")[name], value)
    record = json.loads((model.directory / "training.json").read_text())["teacher"]
    assert (record["name"], record["part"], record["share"], record["temperature"]) == ("other", "reader", 0.5, 1.0)
    assert len(record["fingerprint"]) == 64
    assert kept
    assert not (tmp_path / "left" / "checkpoints").exists()
    assert distributed.world() == 1
