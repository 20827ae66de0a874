"""The page for people who know DPR: its commands run, one after the other, on small files as DPR writes them."""

from __future__ import annotations

import csv
import json
import pickle
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from conftest import Run
from experiments.common.foreign_models import SIZES

pytestmark = pytest.mark.golden

PAGE = Path(__file__).resolve().parents[2] / "docs" / "dpr.md"
PARAMETERS = {"do_lower_case": True, "pretrained_model_cfg": "bert-base-uncased", "encoder_model_type": "hf_bert"}
RIVERS = {"Tarn": "Albi", "Lot": "Cahors", "Orne": "Caen", "Vire": "Saint-Lô", "Aude": "Limoux", "Somme": "Amiens"}


def commands() -> list[list[str]]:
    """The arguments of each command of the page."""
    blocks = re.findall(r"^```console\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return [shlex.split(line)[2:] for block in blocks for line in block.splitlines()]


def text_of(river: str) -> str:
    return f"The river {river} runs through the town of {RIVERS[river]}."


def question_of(river: str) -> str:
    return f"which town is on the river {river}"


def passage_of(river: str) -> dict[str, object]:
    number = list(RIVERS).index(river) + 1
    return {"title": river, "text": text_of(river), "score": 1000, "title_score": 1, "passage_id": str(number)}


def network() -> transformers.BertModel:
    return transformers.BertModel(transformers.BertConfig(**SIZES, vocab_size=30_522))


def write_checkpoint(path: Path, layers: dict[str, torch.nn.Module]) -> None:
    weights = torch.nn.ModuleDict(layers).state_dict()
    parameters = {**PARAMETERS, "num_attention_heads": SIZES["num_attention_heads"]}
    state = {"model_dict": weights, "optimizer_dict": {}, "scheduler_dict": {}, "offset": 0, "epoch": 3}
    torch.save({**state, "encoder_params": parameters}, path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What a user of DPR has, small: checkpoints, passages, vectors, questions, training files, results."""
    torch.manual_seed(4)
    write_checkpoint(tmp_path / "bert-base-encoder.cp", {"question_model": network(), "ctx_model": network()})
    heads = {"qa_outputs": torch.nn.Linear(32, 2), "qa_classifier": torch.nn.Linear(32, 1)}
    write_checkpoint(tmp_path / "hf_bert_base.cp", {"encoder": network(), **heads})
    with (tmp_path / "psgs_w100.tsv").open("w", newline="") as file:
        rows = [(number, text_of(river), river) for number, river in enumerate(RIVERS, start=1)]
        csv.writer(file, delimiter="\t").writerows([("id", "text", "title"), *rows])
    with (tmp_path / "nq-test.qa.csv").open("w", newline="") as file:
        csv.writer(file, delimiter="\t").writerows((question_of(river), [town]) for river, town in RIVERS.items())
    vectors = np.random.default_rng(5).normal(size=(6, 32)).astype(np.float32)
    named = [(f"wiki:{number}", vector) for number, vector in enumerate(vectors, start=1)]
    for shard in range(2):
        (tmp_path / f"wikipedia_passages_{shard}").write_bytes(pickle.dumps(named[3 * shard : 3 * shard + 3]))
    examples, results = [], []
    for river, other in zip(RIVERS, [*list(RIVERS)[1:], "Tarn"], strict=True):
        asked = {"question": question_of(river), "answers": [RIVERS[river]]}
        groups = {"positive_ctxs": [passage_of(river)], "negative_ctxs": [], "hard_negative_ctxs": [passage_of(other)]}
        examples.append({"dataset": "nq_train_psgs_w100", **asked, **groups})
        ctxs = [
            {"id": f"wiki:{name}", "title": name, "text": text_of(name), "score": score, "has_answer": name == river}
            for name, score in ((other, "81.5"), (river, "80.5"))
        ]
        results.append({**asked, "ctxs": ctxs})
    (tmp_path / "biencoder-nq-train.json").write_text(json.dumps(examples, indent=4))
    (tmp_path / "nq-train-results.json").write_text(json.dumps(results, indent=4))
    return tmp_path


def test_the_commands_of_the_page_run_in_their_order(folder: Path, run: Run) -> None:
    assert len(commands()) == 11
    for arguments in commands():
        done = run(*arguments, cwd=folder)
        assert done.returncode == 0, (arguments, done.stderr)
    assert {path.name for path in (folder / "for-dpr").iterdir()} >= {"encoder.cp", "reader.cp"}
    results = json.loads((folder / "results.json").read_text())
    assert [result["question"] for result in results] == [question_of(river) for river in RIVERS]
    assert {len(result["ctxs"]) for result in results} == {6}
