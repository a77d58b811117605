"""Formats for devices compute the same outputs where their runtime is installed."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import diswot
from diswot.errors import MissingExtraError, OptionError, UnknownNameError
from diswot.export import FORMATS, wanted_forms
from tests.conftest import CommandLine
from tests.forked import run_programs

pytestmark = pytest.mark.processes

DEVICES = ("openvino", "executorch", "litert", "coreml")


def needs(form: str) -> None:
    """Skip if the packages of a format are not installed."""
    try:
        FORMATS[form].require()
    except MissingExtraError as error:
        pytest.skip(str(error))


class Mobile(nn.Module):
    """Building blocks of mobile networks: resizing, depthwise convolution, a gate, a head."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 6, 3, 2), nn.BatchNorm2d(6), nn.Hardswish())
        self.depthwise = nn.Conv2d(6, 6, 3, padding=1, groups=6)
        self.gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(6, 6, 1), nn.Hardsigmoid())
        self.head = nn.Linear(6, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.interpolate(x, size=(12, 12), mode="bilinear", antialias=True)
        x = self.depthwise(self.stem(x))
        found: torch.Tensor = self.head((x * self.gate(x)).mean((2, 3)))
        return found


@pytest.mark.parametrize("form", DEVICES)
def test_a_format_computes_the_same_outputs(form: str, tmp_path: Path) -> None:
    needs(form)
    torch.manual_seed(0)
    network = Mobile()
    done = diswot.export(network, tmp_path / "student", data="digits", formats=[form])
    found = done.forms[form]
    assert found.bytes == sum(done.sizes[file] for file in FORMATS[form].files)
    assert json.loads((done.folder / "config.json").read_text())["forms"][form] == found.to_json()
    if form == "coreml":  # its runtime exists only on devices
        assert found.milliseconds is None
        assert found.measure is None
        names = zipfile.ZipFile(done.folder / found.file).namelist()
        assert "student.mlpackage/Manifest.json" in names
        assert "was converted but not run" in (done.folder / "README.md").read_text()
        return
    assert found.difference is not None
    assert found.difference <= 1e-5
    assert found.measure == done.forms["source"].measure
    np.save(tmp_path / "one.npy", diswot.load_data("digits").test.images[0].numpy())
    answers = [diswot.predict(done.folder, tmp_path / "one.npy", form=f) for f in ("source", form)]
    assert answers[0][0]["label"] == answers[1][0]["label"]
    script = (done.folder / "predict.py", tmp_path / "one.npy", found.file)
    (ended,) = run_programs([script], imports="torch,onnxruntime,PIL.Image")
    assert ended.status == 0, ended.err
    assert ended.out.decode().split()[0] == answers[0][0]["label"]


@pytest.mark.parametrize("sides", [((12, 9), (8, 6)), ((9, 12), (20, 5)), ((7, 7), (7, 7))])
def test_resizing_as_matrix_products_equals_interpolate(
    sides: tuple[tuple[int, int], tuple[int, int]],
) -> None:
    from diswot.export._devices import _resized

    images = torch.rand(2, 3, *sides[0])
    expected = F.interpolate(images, size=sides[1], mode="bilinear", antialias=True)
    torch.testing.assert_close(_resized(images, sides[1], False), expected)


def test_only_the_requested_formats_are_written(tmp_path: Path) -> None:
    takes = diswot.load_data("digits").signature
    done = diswot.export(Mobile(), tmp_path / "student", signature=takes, formats=["pt2"])
    assert list(done.forms) == ["source", "pt2"]


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"formats": ["openvno"]}, UnknownNameError, "did you mean 'openvino'"),
        ({"formats": []}, OptionError, "Expected formats to be names of formats"),
        ({"formats": "onnx"}, OptionError, "Expected formats to be names of formats"),
        ({"formats": ["pt2"], "int8": True}, OptionError, "leave --onnx, --pt2 and --int8 out"),
        ({"formats": ["pt2"], "onnx": False}, OptionError, "leave --onnx, --pt2 and --int8 out"),
    ],
)
def test_invalid_formats_are_refused(
    options: dict[str, object], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        wanted_forms(**options)  # type: ignore[arg-type]


@pytest.mark.parametrize("form", DEVICES)
def test_the_error_names_the_extra_of_a_missing_runtime(form: str, cli: CommandLine) -> None:
    try:
        FORMATS[form].require()
    except MissingExtraError:
        out = cli("export", "run", "--formats", form)
        assert out.code == 2
        assert f"pip install 'diswot[{FORMATS[form].extra}]'" in out.err
        return
    pytest.skip("it is installed")


def test_int8_implies_onnx() -> None:
    assert wanted_forms(formats=["int8"]) == {"source": False, "onnx": True, "int8": True}
