"""Files of torch.save are read without torch, and nothing in them is executed."""

from __future__ import annotations

import collections
import os
import pickle
import sys
import types
import zipfile
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch

from opendpr.errors import InputError
from opendpr.interop.torch_file import TorchFile, plain_value


def state() -> dict[str, Any]:
    weights = collections.OrderedDict(
        plain=torch.randn(3, 4),
        turned=torch.randn(4, 3).t(),
        part=torch.randn(9)[2:5],
        half=torch.randn(3).half(),
        brain=torch.randn(3).bfloat16(),
        whole=torch.arange(5),
        parameter=torch.nn.Parameter(torch.randn(2)),
        empty=torch.zeros(0, 3),
    )
    optimizer = {"state": {0: {"step": torch.tensor(3.0)}}, "param_groups": [{"lr": 1e-5, "betas": (0.9, 0.99)}]}
    return {"model_dict": weights, "optimizer_dict": optimizer, "epoch": 3, "encoder_params": {"do_lower_case": True}}


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "chain of pickles"])
def test_both_containers_give_what_was_saved(tmp_path: Path, zipped: bool) -> None:
    saved = state()
    torch.save(saved, tmp_path / "model.cp", _use_new_zipfile_serialization=zipped)
    file = TorchFile(tmp_path / "model.cp")
    arrays = file.arrays(file.value["model_dict"])
    assert set(arrays) == set(saved["model_dict"])
    for name, tensor in saved["model_dict"].items():
        expected = tensor.detach().float() if tensor.dtype == torch.bfloat16 else tensor.detach()
        np.testing.assert_array_equal(arrays[name], expected.numpy(), err_msg=name)
    assert file.value["encoder_params"] == {"do_lower_case": True}
    assert file.value["optimizer_dict"]["param_groups"] == [{"lr": 1e-5, "betas": (0.9, 0.99)}]


class Harmful:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.marker}",)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "chain of pickles"])
def test_a_file_that_asks_for_a_call_is_refused_and_nothing_is_called(tmp_path: Path, zipped: bool) -> None:
    saved = {"model_dict": {}, "extra": Harmful(tmp_path / "marker")}
    torch.save(saved, tmp_path / "model.cp", _use_new_zipfile_serialization=zipped)
    with pytest.raises(InputError, match=r"(posix|nt|os)\.system, which is refused"):
        TorchFile(tmp_path / "model.cp")
    assert not (tmp_path / "marker").exists()


def omegaconf_like(monkeypatch: pytest.MonkeyPatch, module: str, name: str) -> type:
    """A class that pickles as one of omegaconf's, whose objects are made by a call and then given their state."""
    made = type(name, (), {"__module__": module})
    monkeypatch.setitem(sys.modules, "omegaconf", types.ModuleType("omegaconf"))
    monkeypatch.setitem(sys.modules, module, cast(types.ModuleType, types.SimpleNamespace(**{name: made})))
    return made


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "chain of pickles"])
def test_records_of_omegaconf_become_plain_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zipped: bool
) -> None:
    """As DPR's checkpoints of 2021 hold the parameters of their encoder."""
    config_class = omegaconf_like(monkeypatch, "omegaconf.dictconfig", "DictConfig")
    node_class = omegaconf_like(monkeypatch, "omegaconf.nodes", "AnyNode")
    node, config = node_class(), config_class()
    vars(node).update(_val="bert-base-uncased", _metadata=None, _parent=config)
    vars(config).update(_content={"pretrained_model_cfg": node}, _parent=None)
    torch.save({"encoder_params": {"encoder": config}}, tmp_path / "m.cp", _use_new_zipfile_serialization=zipped)
    monkeypatch.undo()
    result = plain_value(TorchFile(tmp_path / "m.cp").value["encoder_params"])
    assert result == {"encoder": {"pretrained_model_cfg": "bert-base-uncased"}}


def test_sizes_that_do_not_fit_are_refused_before_memory_is_taken(tmp_path: Path) -> None:
    torch.save({"a": torch.randn(3)}, tmp_path / "model.cp")
    file = TorchFile(tmp_path / "model.cp")
    tensor = file.value["a"]
    large = tensor._replace(storage=tensor.storage._replace(size=10**15))
    for hostile in (tensor._replace(shape=(10**12,), stride=(0,)), tensor._replace(offset=2), large):
        with pytest.raises(InputError, match=r"does not fit|ends within"):
            file.array(hostile)


def test_a_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    torch.save(state(), tmp_path / "model.cp", _use_new_zipfile_serialization=False)
    content = (tmp_path / "model.cp").read_bytes()
    for kept in (0, 20, 300, len(content) - 100):
        (tmp_path / "cut.cp").write_bytes(content[:kept])
        with pytest.raises(InputError, match=r"cut\.cp"):
            file = TorchFile(tmp_path / "cut.cp")
            file.arrays(file.value["model_dict"])


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "list.pkl").write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(InputError, match="another pickle"):
        TorchFile(tmp_path / "list.pkl")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("a.txt", "a")
    with pytest.raises(InputError, match=r"without data\.pkl"):
        TorchFile(tmp_path / "other.zip")
