"""Checkpoints as DPR's own training writes them: towers in one module, optimizer, schedule, parameters of omegaconf."""

from __future__ import annotations

import collections
import sys
import types
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
import transformers
from experiments.common.foreign_models import MINILM, SENTENCES, SIZES

from opendpr.interop.torch_file import TorchFile
from opendpr.model.directory import Model
from opendpr.model.encoder import BertEncoder
from opendpr.model.foreign import ImportSettings, export_model, import_model
from opendpr.model.runtime import RuntimeSettings, load_network
from opendpr.model.tokenizer import Tokenizer
from opendpr.types import Passage

pytestmark = pytest.mark.golden

LARGEST = 2e-4
RUNTIME = RuntimeSettings("openvino", "fp32")
TOKENIZER = MINILM / "tokenizer.json"
CONTAINERS = pytest.mark.parametrize("zipped", [True, False], ids=["zip", "chain of pickles"])


def bert() -> transformers.BertModel:
    return transformers.BertModel(transformers.BertConfig(**SIZES, vocab_size=30_522)).eval()


def parameters(monkeypatch: pytest.MonkeyPatch, record: bool) -> dict[str, Any]:
    """What a checkpoint says of its encoder: a plain dict, or nodes as omegaconf pickles them."""
    values = {
        "encoder_model_type": "hf_bert",
        "pretrained_model_cfg": "bert-base-uncased",
        "sequence_length": 256,
        "projection_dim": 0,
        "num_attention_heads": SIZES["num_attention_heads"],
    }
    if not record:
        return {"do_lower_case": True, **values}
    made = {}
    monkeypatch.setitem(sys.modules, "omegaconf", types.ModuleType("omegaconf"))
    for module, name in (("omegaconf.dictconfig", "DictConfig"), ("omegaconf.nodes", "AnyNode")):
        made[name] = type(name, (), {"__module__": module})
        holder = cast(types.ModuleType, types.SimpleNamespace(**{name: made[name]}))
        monkeypatch.setitem(sys.modules, module, holder)
    config, nodes = made["DictConfig"](), {}
    for key, value in values.items():
        nodes[key] = made["AnyNode"]()
        vars(nodes[key]).update(_val=value, _metadata=None, _parent=config)
    vars(config).update(_content=nodes, _metadata=None, _parent=None)
    return {"do_lower_case": True, "encoder": config}


def write_checkpoint(path: Path, network: torch.nn.Module, encoder_params: dict[str, Any], zipped: bool) -> None:
    """A checkpoint after one step of training, whose weights fp16 holds exactly."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-5)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1.0)
    sum(parameter.sum() for parameter in network.parameters()).backward()  # type: ignore[union-attr]
    optimizer.step()
    schedule.step()
    for parameter in network.parameters():
        parameter.data = (parameter.data + 0.05 * torch.randn_like(parameter)).half().float()
    weights = network.state_dict()
    weights["position_ids"] = torch.arange(512)[None]
    state = collections.OrderedDict(
        model_dict=weights,
        optimizer_dict=optimizer.state_dict(),
        scheduler_dict=schedule.state_dict(),
        offset=12,
        epoch=3,
        encoder_params=encoder_params,
    )
    torch.save(state, path, _use_new_zipfile_serialization=zipped)


def fed(texts: list[str]) -> dict[str, torch.Tensor]:
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_file=str(TOKENIZER), pad_token="[PAD]")
    batch = tokenizer(texts, padding=True, truncation=True, max_length=256, return_tensors="pt")
    return {name: batch[name] for name in ("input_ids", "attention_mask")}


def same_weights(first: Model, other: Model, part: Any) -> None:
    for name, value in first.load_weights(part).items():
        np.testing.assert_array_equal(other.load_weights(part)[name], value, err_msg=name)


@CONTAINERS
@pytest.mark.parametrize("record", [True, False], ids=["omegaconf", "plain"])
def test_a_biencoder_gives_the_vectors_of_its_own_network_and_goes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zipped: bool, record: bool
) -> None:
    torch.manual_seed(2)
    towers = torch.nn.ModuleDict({"question_model": bert(), "ctx_model": bert()})
    path = tmp_path / "dpr_biencoder.3.12"
    with monkeypatch.context() as patched:
        write_checkpoint(path, towers, parameters(patched, record), zipped)
    settings = ImportSettings(tokenizer=TOKENIZER)
    model = import_model({"": path}, tmp_path / "ours", settings).model
    encoder = BertEncoder(model, RUNTIME)
    with torch.no_grad():
        questions, passages = (
            towers[name](**fed(SENTENCES)).last_hidden_state[:, 0].numpy() for name in ("question_model", "ctx_model")
        )
    np.testing.assert_allclose(encoder.encode_questions(SENTENCES), questions, atol=LARGEST)
    untitled = [Passage(number, "d", "", text, 0) for number, text in enumerate(SENTENCES)]
    np.testing.assert_allclose(encoder.encode_passages(untitled), passages, atol=LARGEST)

    export_model(model, tmp_path / "theirs", "dpr")
    again = import_model({"": tmp_path / "theirs" / "encoder.cp"}, tmp_path / "again", settings).model
    assert again.fingerprint == model.fingerprint


@CONTAINERS
def test_a_reader_gives_the_logits_of_its_own_network_and_goes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zipped: bool
) -> None:
    torch.manual_seed(3)
    layers = {"encoder": bert(), "qa_outputs": torch.nn.Linear(32, 2), "qa_classifier": torch.nn.Linear(32, 1)}
    network = torch.nn.ModuleDict(layers)
    path = tmp_path / "dpr_extractive_reader.0.100"
    with monkeypatch.context() as patched:
        write_checkpoint(path, network, parameters(patched, True), zipped)
    settings = ImportSettings(tokenizer=TOKENIZER)
    model = import_model({"reader": path}, tmp_path / "ours", settings).model
    assert model.require_reader().selection

    from opendpr.model.batches import TokenSequence, pad

    (ids,) = Tokenizer(TOKENIZER).ids(SENTENCES[:1])
    sequence = TokenSequence(ids, np.zeros_like(ids))
    ours = load_network(model, "reader", RUNTIME, throughput=False)([pad([sequence], 0)])[0][0]
    with torch.no_grad():
        hidden = network["encoder"](torch.from_numpy(ids[None].astype(np.int64))).last_hidden_state
        start, end = network["qa_outputs"](hidden)[0].numpy().T
        selection = network["qa_classifier"](hidden[:, 0])[0].numpy()
    np.testing.assert_allclose(ours, np.concatenate([selection, start, end]), atol=LARGEST)

    export_model(model, tmp_path / "theirs", "dpr")
    again = import_model({"reader": tmp_path / "theirs" / "reader.cp"}, tmp_path / "again", settings).model
    assert again.reader == model.reader
    same_weights(model, again, "reader")


def test_what_we_write_for_dpr_holds_plain_values_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DPR's own loader asks for these six things."""
    towers = torch.nn.ModuleDict({"question_model": bert(), "ctx_model": bert()})
    write_checkpoint(tmp_path / "a.cp", towers, parameters(monkeypatch, False), True)
    model = import_model({"": tmp_path / "a.cp"}, tmp_path / "ours", ImportSettings(tokenizer=TOKENIZER)).model
    export_model(model, tmp_path / "theirs", "dpr")
    state = TorchFile(tmp_path / "theirs" / "encoder.cp").value
    theirs = torch.load(tmp_path / "theirs" / "encoder.cp", weights_only=True)
    names = {"model_dict", "optimizer_dict", "scheduler_dict", "offset", "epoch", "encoder_params"}
    assert set(state) == set(theirs) == names
    assert {name for name in theirs["model_dict"] if "pooler" not in name} <= towers.state_dict().keys()
