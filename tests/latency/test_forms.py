"""Forms in which latency is measured: each computes the outputs of the network."""

import warnings
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import diswot
from diswot.errors import OptionError
from diswot.latency import (
    FORMS,
    MeasuredLatency,
    UnusableNetworkError,
    check_form,
    find_latency,
    is_measured,
    time_network,
)
from diswot.latency._forms import runner
from diswot.tasks.images import load_data
from search_spaces import Architecture, Choice, ChoiceSpace, ResNetDepthSpace

IMAGES = load_data("digits").signature
SMALL: dict[str, Any] = {
    "repeats": 1,
    "batch_size": 8,
    "population": 2,
    "generations": 0,
    "seed": 0,
}


class Smaller(nn.Module):
    """Downsamples with antialiasing, which the ONNX exporter of torch does not support."""

    def forward(self, images: Tensor) -> Tensor:
        small = nn.functional.interpolate(images, (2, 2), mode="bilinear", antialias=True)
        return small.flatten(1)


class Numpy(nn.Module):
    """Computes through NumPy, which no exporter can trace."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.classifier = nn.Linear(256, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        if torch.jit.is_tracing() or torch.compiler.is_exporting():  # type: ignore[attr-defined, no-untyped-call]
            raise RuntimeError("not for export")
        logits: Tensor = self.classifier(images.flatten(1))
        return logits


class Unexportable(ChoiceSpace):
    """A space in which some networks cannot be exported."""

    kind = Choice("plain", "numpy", "wide")

    def build(self, arch: Architecture, num_classes: int) -> nn.Module:
        if arch.kind == "numpy":
            return Numpy(num_classes)
        width = 8 if arch.kind == "plain" else 16
        head = nn.Linear(width, num_classes)
        return nn.Sequential(nn.Conv2d(1, width, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)


@pytest.mark.parametrize("form", FORMS[:2])
def test_every_form_computes_the_outputs_of_the_network(form: str) -> None:
    network = (
        ResNetDepthSpace(in_channels=1)
        .build(ResNetDepthSpace(in_channels=1).from_string("1-1-1"), 10)
        .eval()
    )
    images = torch.randn(2, 1, 16, 16)
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("error")
        found = runner(network, images, form=form, threads=1)()
    found = found[0] if isinstance(found, list) else found
    torch.testing.assert_close(torch.as_tensor(found), network(images).detach())


def test_a_measurement_names_its_form(capfd: pytest.CaptureFixture[str]) -> None:
    space = ResNetDepthSpace((1,), widths=(2, 2), in_channels=1)
    latency = find_latency("onnx", space=space, signature=IMAGES, threads=1)
    assert latency.name == "measured in onnxruntime on cpu, batch 1, threads 1"
    measured = time_network(space.build(space.architecture(1), 10), IMAGES, form="onnx")
    assert measured.form == "onnx"
    assert measured.median_ms > 0
    assert capfd.readouterr() == ("", "")


def test_measured_is_an_alias_of_eager() -> None:
    assert is_measured("measured")
    assert not is_measured("s0.json")
    found = find_latency("measured", space=ResNetDepthSpace(), signature=IMAGES)
    assert isinstance(found, MeasuredLatency)
    assert found.form == "eager"


def test_an_unknown_form_is_refused() -> None:
    with pytest.raises(OptionError, match="eager, onnx, torch-compile, but got 'tflite'"):
        check_form("tflite")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "form"), [({}, "onnx"), ({"latency": "measured"}, "eager")], ids=["default", "old"]
)
def test_the_default_form_is_the_exported_one(options: dict[str, Any], form: str) -> None:
    budget = diswot.Budget(latency_ms=1000)
    found = diswot.search(
        "resnet20", ResNetDepthSpace((1, 2), in_channels=1), budget=budget, **SMALL, **options
    )
    assert found.manifest["latency"] == form
    assert found.manifest["latency_source"].startswith("measured in ")
    assert found.best.costs.latency_ms is not None


@pytest.mark.processes
def test_measured_latency_uses_a_single_worker() -> None:
    reported: list[str] = []
    found = diswot.search(
        "resnet20",
        ResNetDepthSpace((1, 2), in_channels=1),
        budget=diswot.Budget(latency_ms=1000),
        workers=2,
        progress=lambda step: reported.append(str(step)),
        **SMALL,
    )
    assert len({c.worker for c in found.candidates}) == 1
    assert any("onnxruntime" in line and "one worker" in line for line in reported)


@pytest.mark.slow
def test_a_network_that_cannot_be_exported_is_a_failed_candidate() -> None:
    space = Unexportable()
    with pytest.raises(UnusableNetworkError, match=r"in onnxruntime raised .*--latency eager"):
        MeasuredLatency(space, IMAGES, form="onnx")(space.from_string("kind=numpy"))
    found = diswot.search("resnet20", space, engine="exhaustive", latency="onnx", **SMALL)
    assert [c.name for c in found.failures] == ["kind=numpy"]
    assert found.best.costs.latency_ms is not None


@pytest.mark.slow
def test_output_of_the_tracer_is_not_printed(capfd: pytest.CaptureFixture[str]) -> None:
    runner(Smaller().eval(), torch.zeros(1, 1, 16, 16), form="onnx", threads=1)()
    assert capfd.readouterr() == ("", "")
