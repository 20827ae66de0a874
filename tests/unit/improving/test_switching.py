"""Where networks are trained in a round, and the commands that a round prints."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from opendpr.choices import DeviceName, PrecisionName
from opendpr.improving.networks import running_on
from opendpr.improving.settings import ImproveSettings
from opendpr.improving.switching import way_back
from opendpr.model.runtime import RuntimeSettings
from opendpr.training.settings import EncoderSettings


def test_the_way_back_is_quoted_for_a_shell() -> None:
    command = way_back(Path("my notes"), "/models/it's mine")
    assert shlex.split(command) == ["opendpr", "encode", "my notes", "--model", "/models/it's mine", "--keep-old"]


@pytest.mark.parametrize(
    ("precision", "device", "expected"),
    [
        ("bf16", "cuda", ("cuda", "bf16")),
        ("fp32", "cpu", ("cpu", "fp32")),
        ("int8", "cpu", ("cpu", "auto")),
        ("auto", "auto", ("auto", "auto")),
    ],
)
def test_device_and_precision_reach_the_training(
    precision: PrecisionName, device: DeviceName, expected: tuple[str, str]
) -> None:
    settings = running_on(ImproveSettings(), RuntimeSettings("auto", precision, device))
    assert (settings.encoder.device, settings.encoder.precision) == expected
    assert (settings.reader.device, settings.reader.precision) == expected
    assert settings.encoder.batch_size == ImproveSettings().encoder.batch_size


def test_what_is_not_chosen_stays_as_the_settings_have_it() -> None:
    settings = ImproveSettings(encoder=EncoderSettings(device="cpu", precision="fp32"))
    assert running_on(settings, RuntimeSettings()) == settings
