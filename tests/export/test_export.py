"""Exported students run without DisWOT and compute the same outputs."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import diswot
from diswot.errors import ExportError, RunFolderError
from diswot.export._process import Runner
from search_spaces import CifarResNet, NASBench201Space, SearchSpace
from tests.forked import run_programs

pytestmark = pytest.mark.processes

SPEC = diswot.load_data("digits").spec


class Scaled(nn.Module):
    """Has its own parameter and buffer, torch functions, and names that clash with dict methods."""

    def __init__(self) -> None:
        super().__init__()
        self.keys = nn.Conv2d(1, 6, 3, padding="same", padding_mode="circular")
        self.scale = nn.Parameter(torch.rand(6, 1, 1))
        self.register_buffer("shift", torch.rand(6, 1, 1))
        self.drop = nn.Dropout(0.3)
        self.norm = nn.GroupNorm(2, 6)
        self.head = nn.Linear(6, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.gelu(self.norm(self.keys(x)) * self.scale + self.shift)
        x = F.dropout(x, 0.5, training=self.training)
        logits: Tensor = self.head(self.drop(x.mean(dim=(2, 3))))
        return logits


class Branching(nn.Module):
    """A forward pass that depends on the values of its input."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(256, 10)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(x.flatten(1) if x.sum() > 0 else -x.flatten(1))
        return logits


def cell(text: str) -> nn.Module:
    space: SearchSpace = NASBench201Space(channels=4, cells=1, in_channels=1)
    return space.build(space.from_string(text), 10)


NETWORKS = {
    "resnet": lambda: CifarResNet((2, 1), num_classes=10, widths=(4, 4, 8), in_channels=1),
    "cell": lambda: cell(
        "|nor_conv_3x3~0|+|none~0|avg_pool_3x3~1|+|nor_conv_1x1~0|none~1|skip_connect~2|"
    ),
    "cut cell": lambda: cell("|none~0|+|none~0|none~1|+|none~0|none~1|nor_conv_3x3~2|"),
    "own parameters": Scaled,
}


def run_alone(folder: Path, images: Tensor) -> dict[str, Any]:
    """Run `student.py` with only torch and the standard library importable."""
    program = f"""
import importlib.abc, json, sys
class Nothing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("diswot", "search_spaces", "safetensors", "kornia", "sklearn"):
            raise ImportError("not here: " + name)
sys.meta_path.insert(0, Nothing())
sys.path.insert(0, {str(folder)!r})
import torch, student
images = torch.tensor(json.loads(sys.stdin.read()))
with torch.inference_mode():
    print(json.dumps([student.load()(images).tolist(), student.normalize(images).tolist()]))
"""
    given = json.dumps(images.tolist())
    (done,) = run_programs([("-c", program)], imports="torch", given=given)
    assert done.status == 0, done.err
    logits, normalized = json.loads(done.out)
    return {"logits": torch.tensor(logits), "normalized": torch.tensor(normalized)}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_source_needs_only_torch_and_computes_the_same(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = NETWORKS[name]()
    network.train()
    for _ in range(2):
        network(torch.randn(4, 1, 16, 16))  # so that batch normalization has statistics
    images = torch.randn(3, 1, 16, 16)
    done = diswot.export(network, tmp_path / "student", signature=SPEC.signature, onnx=False)
    got = run_alone(tmp_path / "student", images)
    assert network.training
    torch.testing.assert_close(got["logits"], network.eval()(images).detach())
    mean, std = SPEC.mean[0], SPEC.std[0]
    torch.testing.assert_close(got["normalized"], (images / 255 - mean) / std)
    assert done.files == (
        *("README.md", "config.json", "predict.py", "student.py", "weights.safetensors"),
    )
    assert not [path for path in tmp_path.iterdir() if path.name != "student"]


def test_onnx_takes_any_number_of_images(tmp_path: Path) -> None:
    network = NETWORKS["resnet"]().eval()
    done = diswot.export(
        network, tmp_path / "student", signature=SPEC.signature, onnx=True, pt2=False
    )
    assert done.differences["student.onnx"] <= 1e-5
    assert "student.pt2" not in done.files
    session = onnxruntime.InferenceSession(tmp_path / "student" / "student.onnx")
    for count in (1, 5):
        images = torch.randn(count, 1, 16, 16)
        (logits,) = session.run(None, {"images": images.numpy()})
        np.testing.assert_allclose(logits, network(images).detach().numpy(), atol=1e-5)


def test_the_config_describes_inputs_and_preprocessing(tmp_path: Path) -> None:
    diswot.export(
        NETWORKS["resnet"](),
        tmp_path / "s",
        signature=SPEC.signature,
        metrics={"accuracy": 0.5},
        onnx=False,
    )
    config = json.loads((tmp_path / "s" / "config.json").read_text())
    assert config["num_classes"] == 10
    assert config["shape"] == [1, 16, 16]
    assert config["mean"] == list(SPEC.mean)
    assert config["accuracy"] == 0.5


def test_a_candidates_network_is_exported_with_its_architecture(tmp_path: Path) -> None:
    (candidate,) = diswot.score(["1-1-1"], "resnet20", repeats=1, batch_size=8)
    diswot.export(candidate.build(), tmp_path / "student", onnx=False)
    config = json.loads((tmp_path / "student" / "config.json").read_text())
    assert config["architecture"] == "1-1-1"


def test_a_network_with_unknown_inputs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="pass signature=Signature"):
        diswot.export(NETWORKS["resnet"](), tmp_path / "student")


@pytest.mark.parametrize("pt2", [None, True])
def test_a_failed_export_leaves_no_files(pt2: bool | None, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="cannot be exported") as caught:
        diswot.export(
            Branching(), tmp_path / "student", signature=SPEC.signature, onnx=False, pt2=pt2
        )
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_nondeterministic_outputs_are_refused(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(256, 10))
    network[1].forward = lambda x: F.dropout(F.linear(x, network[1].weight))  # type: ignore
    with pytest.raises(ExportError, match="other outputs each time"):
        diswot.export(network, tmp_path / "student", signature=SPEC.signature, onnx=False)
    assert not list(tmp_path.iterdir())


def test_ctrl_c_leaves_no_incomplete_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Runner, "request", interrupted)
    with pytest.raises(KeyboardInterrupt):
        diswot.export(
            NETWORKS["resnet"](), tmp_path / "student", signature=SPEC.signature, onnx=False
        )
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_empty_is_unchanged(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    with pytest.raises(RunFolderError, match="is not empty"):
        diswot.export(NETWORKS["resnet"](), tmp_path, signature=SPEC.signature)
    assert (tmp_path / "precious").read_text() == "mine"
