"""Weights that timm and torchvision would download are refused at once if that is impossible.

Both libraries are replaced by modules that have the functions in use and that fail instead of
downloading.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub import constants

from diswot.errors import TeacherError
from diswot.tasks.images import ImageSpec
from diswot.tasks.images.teachers import find_teacher

SPEC = ImageSpec((3, 32, 32), 5, (0.5, 0.4, 0.45), (0.2, 0.25, 0.22), 255.0)
CLOSED = "http://127.0.0.1:1"

TIMM = f"""
from types import SimpleNamespace

def get_pretrained_cfg(name, allow_unregistered=True):
    known = {{
        "hub": dict(hf_hub_id="timm/hub", url="{CLOSED}/hub.pth"),
        "file": dict(hf_hub_id="timm/file", hf_hub_filename="own.bin"),
        "url": dict(url="{CLOSED}/v1/url-0a1b.pth"),
        "none": dict(),
        "local": dict(file="/somewhere.pth", url="{CLOSED}/local.pth"),
    }}
    if name not in known:
        return None
    empty = dict.fromkeys(("url", "file", "state_dict", "hf_hub_id", "hf_hub_filename"))
    return SimpleNamespace(**(empty | known[name]))

def create_model(name, pretrained=False, **options):
    raise RuntimeError(f"asked for {{name}}")
"""
TORCHVISION = f"""
from types import SimpleNamespace

def get_model_weights(name):
    weights = SimpleNamespace(
        url="{CLOSED}/models/url-0a1b.pth", transforms=SimpleNamespace, meta=dict(categories=[])
    )
    if name != "url":
        raise ValueError(f"Unknown model {{name}}")
    return SimpleNamespace(DEFAULT=weights)

def get_model(name, weights=None, **options):
    raise RuntimeError(f"asked for {{name}}")
"""


@pytest.fixture(autouse=True)
def libraries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Replace the libraries by imitations with empty caches and unreachable servers."""
    modules = {"timm/__init__": TIMM, "torchvision/__init__": "", "torchvision/models": TORCHVISION}
    for name, text in modules.items():
        path = tmp_path / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    known = {name: sys.modules.pop(name) for name in _imported()}
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(constants, "ENDPOINT", CLOSED)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    yield
    for name in _imported():
        del sys.modules[name]
    sys.modules.update(known)


def _imported() -> list[str]:
    return [name for name in sys.modules if name.partition(".")[0] in ("timm", "torchvision")]


def refusal(name: str, **options: Any) -> str:
    with pytest.raises(TeacherError) as raised:
        find_teacher(name, SPEC, **options)
    assert "\n" not in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("timm:hub", "run `hf download timm/hub` on a machine that can"),
        ("timm:file", "run `hf download timm/file` on a machine that can"),
        ("timm:hf-hub:someone/network", "run `hf download someone/network` on a machine that can"),
        (
            "timm:hf-hub:someone/network@v2",
            "run `hf download someone/network` on a machine that can",
        ),
        ("timm:url", f"download {CLOSED}/v1/url-0a1b.pth on a machine that can, to "),
        ("torchvision:url", f"download {CLOSED}/models/url-0a1b.pth on a machine that can, to "),
    ],
)
def test_weights_that_cannot_be_downloaded_are_refused(name: str, advice: str) -> None:
    line = refusal(name)
    assert line.startswith(f"teacher {name}: its weights are not in the cache")
    assert advice in line
    assert line.endswith("or give a checkpoint with --teacher-weights")


@pytest.mark.parametrize("name", ["timm:local", "timm:unknown", "timm:local-dir:/x"])
def test_weights_that_need_no_download_are_loaded(name: str) -> None:
    assert "asked for" in refusal(name)


@pytest.mark.parametrize("name", ["timm:url", "torchvision:url"])
def test_weights_in_the_cache_of_torch_are_loaded(tmp_path: Path, name: str) -> None:
    kept = tmp_path / "torch/hub/checkpoints"
    assert torch.hub.get_dir() == str(kept.parent)
    kept.mkdir(parents=True)
    (kept / "url-0a1b.pth").touch()
    line = refusal(name)
    assert "cannot be reached" not in line
    assert "cannot be made" in line


@pytest.mark.parametrize(("name", "file"), [("hub", "model.safetensors"), ("file", "own.bin")])
def test_weights_in_the_cache_of_the_hub_are_loaded(tmp_path: Path, name: str, file: str) -> None:
    repository = tmp_path / f"hub/models--timm--{name}"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs/main").write_text("0a1b")
    (repository / "snapshots/0a1b").mkdir(parents=True)
    (repository / "snapshots/0a1b" / file).touch()
    assert "asked for" in refusal(f"timm:{name}")


@pytest.mark.parametrize("name", ["timm:hub", "torchvision:url"])
def test_a_checkpoint_needs_no_download(tmp_path: Path, name: str) -> None:
    line = refusal(name, weights=tmp_path / "own.safetensors")
    assert "cannot be reached" not in line


def test_a_network_without_weights_is_refused() -> None:
    assert "has no weights in timm" in refusal("timm:none")
