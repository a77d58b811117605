"""A network that loses accuracy in 8 bits is fine-tuned with simulated quantization."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

import diswot
from diswot.errors import MissingExtraError, OptionError
from diswot.export import Exported, Quantization
from diswot.tasks import Measure, accuracy
from diswot.tasks.images import ImageData, load_data
from tests.conftest import CommandLine


@pytest.fixture(scope="module")
def digits() -> ImageData:
    return load_data("digits")


def fragile() -> nn.Module:
    """Return a network whose activations have one scale, but one channel is far larger."""
    torch.manual_seed(0)
    first, last = nn.Conv2d(1, 8, 3, 2, padding=1), nn.Linear(128, 10)
    network = nn.Sequential(first, nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), last)
    diswot.distill(network, None, data="digits", loss="alone", epochs=6)
    with torch.no_grad():  # the outputs stay the same
        first.weight[0] *= 100
        if first.bias is not None:
            first.bias[0] *= 100
        last.weight[:, :16] /= 100
    return network.eval()


@pytest.mark.slow
@pytest.mark.processes
def test_a_large_loss_is_reduced_by_fine_tuning(digits: ImageData, tmp_path: Path) -> None:
    pytest.importorskip("torchao")
    network = fragile()

    def exported(name: str, *, qat: bool) -> Exported:
        formats = ["onnx", "int8"]
        place = tmp_path / name
        return diswot.export(network, place, data=digits, metrics={}, formats=formats, qat=qat)

    plain, tuned = exported("plain", qat=False), exported("tuned", qat=True)
    before, after = (done.forms["int8"].quantization for done in (plain, tuned))
    assert before is not None
    assert after is not None
    assert after.after is not None
    assert before.is_large
    assert (before.exact, before.before) == (after.exact, after.before)
    assert after.is_improved
    assert after.after.value > before.before.value + 0.01
    tests = [done.forms["int8"].measure for done in (plain, tuned)]
    assert tests[1].value > tests[0].value  # type: ignore[union-attr]
    # The other formats keep their weights.
    weights = [(done.folder / "student.onnx").read_bytes() for done in (plain, tuned)]
    assert weights[0] == weights[1]
    config = json.loads((tuned.folder / "config.json").read_text())
    assert set(config["forms"]["int8"]["quantization"]) == {"exact", "before", "after"}
    assert "was fine-tuned with simulated quantization" in (tuned.folder / "README.md").read_text()


def test_losses_count_in_points_or_relative_to_the_metric() -> None:
    half, less = accuracy(500, 1000), accuracy(489, 1000)
    assert Quantization(half, less).is_large
    assert not Quantization(half, replace(less, value=0.491)).is_large
    error = Measure("NME", 4.0, 3.9, 4.1, 100, unit="% of the image width", higher_is_better=False)
    assert Quantization(error, replace(error, value=4.05)).is_large
    assert not Quantization(error, replace(error, value=4.03)).is_large
    assert not Quantization(error, replace(error, value=3.0)).is_large
    assert Quantization(half, less, half).is_improved
    assert not Quantization(half, less, less).is_improved


def test_fine_tuning_without_int8_or_torchao_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(256, 10))
    with pytest.raises(OptionError, match="add --int8, or leave --qat out"):
        diswot.export(network, tmp_path / "student", data="digits", qat=True)
    monkeypatch.setitem(sys.modules, "torchao", None)
    with pytest.raises(MissingExtraError, match=r"diswot\[qat\]"):
        diswot.export(network, tmp_path / "student", data="digits", int8=True, qat=True)
    assert not list(tmp_path.iterdir())


def test_the_command_checks_fine_tuning_first(cli: CommandLine) -> None:
    refused = cli("export", "absent", "--qat")
    assert refused.code == 2
    assert "add --int8, or leave --qat out" in refused.err
