"""What a teacher adds to the reader's choice of passage, and where its scores come from. fp32 on a CPU."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from encoder_examples import assert_same
from opendpr.errors import InputError, StateError, UsageError
from opendpr.model.batches import pad
from opendpr.model.directory import Model
from opendpr.model.reader import BertReader
from opendpr.model.runtime import RuntimeSettings
from opendpr.training.example_teacher import ExampleTeacher
from opendpr.training.losses import choice_loss
from opendpr.training.reader import reader_job, train_reader
from opendpr.training.reader_examples import ReaderExample, marked_examples
from opendpr.training.reader_objective import ReaderObjective
from opendpr.training.reader_source import Draw, ReaderSource
from opendpr.training.run import run_training
from opendpr.training.settings import ReaderSettings
from opendpr.training.teaching import SCORES_FILE, score_table
from opendpr.types import ExamplePassage, Hit, Passage, TrainingExample
from reader_examples import EXAMPLES, SETTINGS, TAUGHT, full, gradients, gradients_of, made_up, taught_objective
from training_runs import Killed, Recorder, started, without_reader

pytestmark = pytest.mark.usefixtures("one_thread")

MARKED = marked_examples(EXAMPLES, "people")
DATED = [
    replace(
        example,
        question=replace(example.question, text=f"{example.question.text[:-1]} in 1820?"),
        positives=tuple(replace(p, text=f"{p.text} That was in 1820, not in 1822.") for p in example.positives),
    )
    for example in EXAMPLES
]
"""Their questions can be asked with another year."""


def objective(
    model: Path, settings: ReaderSettings = TAUGHT, examples: list[ReaderExample] = MARKED
) -> ReaderObjective:
    return taught_objective(model, examples, settings)


def test_the_loss_of_the_choice_worked_out_on_paper() -> None:
    """The teacher says 3/4 and 1/4, the student 1/2 each: KL = 3/4 ln(3/2) + 1/4 ln(1/2) = 0.13081.

    The second question has a passage alone, which takes all of both distributions, whatever the teacher does not know.
    """
    logits = torch.tensor([[2.0, 2.0, 9.0], [5.0, -1.0, -torch.inf]])
    teacher = torch.tensor([[math.log(3.0), 0.0, -torch.inf], [-4.0, -torch.inf, -torch.inf]])
    losses = choice_loss(logits, teacher)
    assert losses.tolist() == pytest.approx([0.75 * math.log(1.5) + 0.25 * math.log(0.5), 0], abs=1e-6)
    assert losses[0].item() == pytest.approx(0.13081, abs=1e-5)


def test_scores_make_a_table_in_which_a_question_without_any_teaches_nothing() -> None:
    table = score_table([[2.0, -1.0, 0.5], [-math.inf, 3.0], [-math.inf]])
    assert table.tolist() == [[2.0, -1.0, 0.5], [-math.inf, 3.0, -math.inf], [0.0, -math.inf, -math.inf]]


def texts(draw: Draw) -> list[str]:
    return [draw.positive.text, *(passage.text for _, passage in draw.others)]


def test_a_draw_has_the_scores_of_its_passages_and_a_swapped_question_has_none() -> None:
    settings = replace(TAUGHT, swapped_share=1.0, wordings_share=0.5)
    examples = marked_examples(DATED, "people")
    plain, scores = ReaderSource(examples, settings), made_up(examples)
    taught, numbers = plain.with_scores(scores), np.arange(8)
    draws = taught.questions(numbers, np.random.default_rng(3))
    assert [draw._replace(scores=[]) for draw in draws] == plain.questions(numbers, np.random.default_rng(3))
    wanted = dict(taught.draws(numbers, np.random.default_rng(3)))
    assert len(wanted) == 4
    for number, draw in zip(np.random.default_rng(3).permutation(numbers).tolist(), draws, strict=True):
        candidates = [passage.text for passage in taught.candidates()[number].passages]
        assert taught.candidates()[number].question == DATED[number].question.text
        if number not in wanted:
            assert (draw.others, draw.places, draw.scores) == ([], [], [])
            continue
        assert [candidates[place] for place in wanted[number]] == texts(draw)[:3]
        assert draw.scores[:3] == scores[number][wanted[number]].tolist()
        assert texts(draw)[3:] == [draw.positive.text]
        assert draw.scores[3:] == [-math.inf]


def test_the_loss_with_a_teacher_is_that_written_out(tiny_model: Path) -> None:
    """Against the obvious way: each question by itself, its rows in one graph; a passage without a token among them."""
    empty = ExamplePassage("", "\u200b")
    examples = marked_examples([replace(e, hard_negatives=(*e.hard_negatives[:1], empty)) for e in DATED], "people")
    settings = replace(TAUGHT, alone_weight=0.5, swapped_share=1.0, chunk_tokens=64)
    trained = objective(tiny_model, settings, examples)
    draws = trained._draws(*full(trained))
    spans, selections = [], []
    for draw in draws:
        pairs = [(draw.question, draw.positive), *draw.others]
        rows = [row for row in trained._rows(pairs) if len(row.sequence.ids)]
        ids, types, mask = (torch.from_numpy(a).long() for a in pad([r.sequence for r in rows], trained._tokenizer.pad))
        logits, L = trained.network(ids, types, mask), ids.shape[1]
        text, (start, end) = slice(*rows[0].text), (logits[0, 1 : 1 + L], logits[0, 1 + L :])
        start, end = start - start[text].logsumexp(0), end - end[text].logsumexp(0)
        spans.append(-torch.stack([start[i] + end[j] for i, j in rows[0].answers]).logsumexp(0))
        if not draw.others:
            continue
        own = logits[:, 0]
        there = [place for place, (_, passage) in enumerate(pairs) if passage.text != empty.text]
        read = [number for number, place in enumerate(there) if np.isfinite(draw.scores[place])]
        assert (len(rows), len(read)) == (3, 2), (
            "the positive and one negative, neither the empty one nor the swapped question"
        )
        p = torch.tensor([draw.scores[there[number]] / 2 for number in read]).softmax(0)
        kl = (p * (p.log() - own[read].log_softmax(0))).sum()
        wanted = torch.tensor([1.0] + [0.0] * (len(own) - 1))
        alone = torch.nn.functional.binary_cross_entropy_with_logits(own, wanted)
        selections.append(0.75 * (own.logsumexp(0) - own[0]) + 0.25 * kl + 0.5 * alone)
    assert len(selections) == 4
    loss = torch.stack(spans).mean() + torch.stack(selections).mean()
    loss.backward()
    assert_same(gradients(objective(tiny_model, settings, examples)), (loss.item(), gradients_of(trained)))


def test_the_teacher_counts_its_share_of_the_loss(tiny_model: Path) -> None:
    losses = {share: gradients(objective(tiny_model, replace(TAUGHT, teacher_share=share))) for share in (0, 1)}
    both = {name: 0.75 * value + 0.25 * losses[1][1][name] for name, value in losses[0][1].items()}
    assert_same(gradients(objective(tiny_model)), (0.75 * losses[0][0] + 0.25 * losses[1][0], both))
    assert abs(losses[1][0] - losses[0][0]) > 0.1


def test_only_what_the_training_draws_is_scored_and_only_once(tiny_model: Path, tmp_path: Path) -> None:
    """Two of the three batches of an epoch, in each a positive and two negatives of half of the questions."""
    settings = replace(SETTINGS, epochs=0.5, teacher=str(tiny_model))
    source, teacher = ReaderSource(MARKED, settings), ExampleTeacher(settings, len(MARKED), 0)
    reported: list[tuple[int, int]] = []
    start = started(tmp_path, lambda done, total: reported.append((done, total)))
    taught = teacher.taught(source, source.batches, start)
    assert taught._scores is not None
    scores = np.concatenate(taught._scores)
    questions = sum(len(numbers) // 2 for numbers, _ in source.batches(0)[:2])
    assert np.isfinite(scores).sum() == reported[0][1] == reported[-1][0] == 3 * questions
    reader = BertReader(Model(tiny_model))
    draw = next(draw for draw in taught.questions(*_seeded(source.batches(0)[0])) if draw.others)
    hits = [Hit(Passage(0, "", draw.positive.title, text, 0), 0.0) for text in texts(draw)]
    expected = reader.passage_scores([draw.question], [hits])[0]
    np.testing.assert_allclose(draw.scores, expected, atol=0.02)
    reported.clear()
    again = teacher.taught(source, source.batches, start)
    assert again._scores is not None
    np.testing.assert_array_equal(np.concatenate(again._scores), scores)
    assert reported == []


def _seeded(batch: tuple[np.ndarray, int]) -> tuple[np.ndarray, np.random.Generator]:
    return batch[0], np.random.default_rng(batch[1])


def train(
    base: Path, output: Path, settings: ReaderSettings, examples: list[TrainingExample] = EXAMPLES, **leave: int
) -> Any:
    """The losses of this run, how often passages were scored, the model and how its training went."""
    recorder, scored = Recorder(**leave), []
    job = reader_job(examples, base, settings)
    done = run_training(job, output, recorder, on_scored=lambda done, total: scored.append(done))
    return (recorder.losses, scored, *done)


def test_a_training_with_a_teacher_that_was_left_goes_on_as_if_nothing_had_happened(
    tiny_model: Path, other_model: Path, tmp_path: Path
) -> None:
    settings = replace(SETTINGS, teacher=str(other_model))
    losses, scored, whole, _ = train(tiny_model, tmp_path / "whole", settings)
    assert (len(losses), scored[0]) == (6, 0)
    with pytest.raises(Killed):
        train(tiny_model, tmp_path / "left", settings, kill_at=4)
    moved = shutil.copytree(other_model, tmp_path / "moved")
    with pytest.raises(StateError, match="was made with teacher = "):
        train(tiny_model, tmp_path / "left", replace(settings, teacher_temperature=2.0))
    for other, examples in ((tiny_model, EXAMPLES), (other_model, EXAMPLES[::-1])):
        with pytest.raises(StateError, match="holds the scores of another teacher or of other examples"):
            train(tiny_model, tmp_path / "left", replace(settings, teacher=str(other)), examples)
    assert (tmp_path / "left" / "checkpoints" / SCORES_FILE).exists()
    _, scored, model, training = train(tiny_model, tmp_path / "left", replace(settings, teacher=str(moved)))
    assert scored == []
    assert training.losses == losses
    for name, value in whole.load_weights("reader").items():
        np.testing.assert_array_equal(model.load_weights("reader")[name], value)
    record = json.loads((model.directory / "training.json").read_text())["teacher"]
    assert (record["name"], record["part"], record["share"], record["temperature"]) == ("other", "reader", 0.5, 1.0)


def test_a_share_of_0_is_no_teacher_to_the_bit(tiny_model: Path, other_model: Path, tmp_path: Path) -> None:
    plain = train(tiny_model, tmp_path / "plain", SETTINGS)
    same = train(tiny_model, tmp_path / "0", replace(SETTINGS, teacher=str(other_model), teacher_share=0.0))
    assert same[0] == plain[0]
    for name, value in plain[2].load_weights("reader").items():
        np.testing.assert_array_equal(same[2].load_weights("reader")[name], value)
    assert json.loads((same[2].directory / "training.json").read_text())["teacher"] is None


def test_a_taught_reader_chooses_passages_as_its_teacher_does(
    tiny_model: Path, other_model: Path, tmp_path: Path
) -> None:
    settings = replace(SETTINGS, epochs=6, negative_share=1.0, teacher=str(other_model), teacher_share=1.0)
    model = train_reader(EXAMPLES, tiny_model, output=tmp_path / "m", settings=settings).model
    questions = [example.question.text for example in MARKED]
    hits = [
        [Hit(Passage(0, "", passage.title, passage.text, 0), 0.0) for passage in (*e.positives, *e.negatives)]
        for e in MARKED
    ]
    teacher, before, after = (
        np.exp(scores - np.logaddexp.reduce(scores, axis=1, keepdims=True))
        for opened in (Model(other_model), Model(tiny_model), model)
        for scores in [
            np.array(BertReader(opened, RuntimeSettings("openvino", "fp32")).passage_scores(questions, hits))
        ]
    )
    assert np.abs(after - teacher).mean() < np.abs(before - teacher).mean() / 2


def test_where_there_is_nothing_to_compare_a_teacher_is_refused(
    tiny_model: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for wrong in ({"negatives": 0}, {"negative_share": 0.0}):
        (name,) = wrong
        with pytest.raises(UsageError, match=rf"{name} is 0, but a teacher compares .*\(--{name.replace('_', '-')}\)"):
            ReaderSettings(teacher="m", **wrong)
        assert ReaderSettings(teacher="m", teacher_share=0.0, **wrong).is_taught is False
    bare = [replace(example, hard_negatives=()) for example in EXAMPLES]
    settings = replace(SETTINGS, teacher=str(tiny_model))
    with pytest.raises(InputError, match=r"none of 20 examples has a hard negative.*opendpr mine"):
        reader_job(bare, tiny_model, settings)
    reader_job([*bare[:2], *EXAMPLES[2:]], tiny_model, settings)
    assert "2 examples of 20 without a hard negative" in caplog.text


def test_a_teacher_without_a_reader_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    teacher = without_reader(tiny_model, tmp_path / "plain")
    with pytest.raises(StateError, match=r"the teacher tiny \(.*plain\) has neither a reader nor a re-ranker"):
        reader_job(EXAMPLES, tiny_model, replace(SETTINGS, teacher=teacher))
