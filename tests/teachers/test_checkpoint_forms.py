"""Common checkpoint formats: loaded if the tensors fit, else a one-line error."""

import argparse
import collections
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from diswot.errors import CheckpointError
from diswot.teachers import TeacherSources, load_checkpoint

IMAGES = torch.randn(2, 1, 9, 9, generator=torch.Generator().manual_seed(0))


def make(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3),
        nn.BatchNorm2d(4),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, 10),
    )


STATE: dict[str, Tensor] = make().state_dict()


def under(prefix: str, state: dict[str, Tensor] = STATE) -> dict[str, Tensor]:
    return {f"{prefix}{name}": tensor for name, tensor in state.items()}


def without_counters() -> dict[str, Tensor]:
    """Return a state dict without `num_batches_tracked`, as torch 0.4.0 wrote it."""
    state = collections.OrderedDict((k, v) for k, v in STATE.items() if "num_batches" not in k)
    state._metadata = STATE._metadata  # type: ignore[attr-defined]
    return state


def within_ddp() -> dict[str, Tensor]:
    return {name.replace("0.", "0.module.", 1): tensor for name, tensor in STATE.items()}


SETTINGS = {
    "args": argparse.Namespace(lr=0.1, out=Path("runs")),
    "best": np.float64(91.5),
    "step": np.int64(3),
    "history": collections.defaultdict(list, loss=[1.0]),
    "last": collections.deque([1, 2]),
}

TAKEN: dict[str, Any] = {
    "no counters of batch normalization": without_counters(),
    "no counters, no versions": {k: v for k, v in STATE.items() if "num_batches" not in k},
    "training script": {"state_dict": STATE, "epoch": 3, **SETTINGS},
    "net": {"net": STATE},
    "ema alone": {"ema": STATE, "optimizer": {"state": {}}},
    "two levels": {"model": {"state_dict": under("module.")}},
    "compiled and replicated": under("module._orig_mod."),
    "replicated and compiled": under("_orig_mod.module."),
    "Lightning": {
        "state_dict": {**under("model."), "criterion.pos_weight": torch.ones(3)},
        "hyper_parameters": {"lr": 0.1},
    },
    "Lightning, compiled": {"state_dict": under("model._orig_mod.")},
    "a replicated part": within_ddp(),
    "numbers next to tensors": {**STATE, "epoch": 3},
}


def loaded(path: Path) -> Tensor:
    result: Tensor = load_checkpoint(make(7), path).eval()(IMAGES)
    return result


@pytest.mark.parametrize("form", TAKEN)
def test_common_checkpoint_formats_are_loaded(tmp_path: Path, form: str) -> None:
    path = tmp_path / "weights.pt"
    torch.save(TAKEN[form], path)
    assert torch.equal(loaded(path), make().eval()(IMAGES))


@pytest.mark.parametrize("suffix", ["pt", "safetensors", "bin", "ckpt"])
@pytest.mark.parametrize("write", [torch.save, save_file])
def test_the_format_is_detected_by_content(
    tmp_path: Path, suffix: str, write: Callable[..., None]
) -> None:
    path = tmp_path / f"weights.{suffix}"
    write(STATE, path)
    assert torch.equal(loaded(path), make().eval()(IMAGES))


def sharded(folder: Path) -> Path:
    names = list(STATE)
    for shard, part in (("a.safetensors", names[:3]), ("b.safetensors", names[3:])):
        save_file({name: STATE[name] for name in part}, folder / shard)
    files = {name: f"{'a' if name in names[:3] else 'b'}.safetensors" for name in names}
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": files}))
    return index


def test_a_sharded_checkpoint_is_read_by_index_and_folder(tmp_path: Path) -> None:
    index = sharded(tmp_path)
    for path in (index, tmp_path):
        assert torch.equal(loaded(path), make().eval()(IMAGES))


def test_an_index_that_points_outside_the_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    save_file(STATE, tmp_path / "a.safetensors")
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": dict.fromkeys(STATE, "../a.safetensors")}))
    with pytest.raises(CheckpointError, match="names a file elsewhere"):
        loaded(folder)


def normalized(kind: str, *, new: bool) -> nn.Sequential:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten(), nn.Linear(4 * 49, 10))
    utils: Any = torch.nn.utils.parametrizations if new else torch.nn.utils
    getattr(utils, kind)(network[0])
    return network.eval()


@pytest.mark.filterwarnings("ignore:.*weight_norm.*")
@pytest.mark.parametrize("kind", ["weight_norm", "spectral_norm"])
@pytest.mark.parametrize("new", [False, True])
def test_old_and_new_parametrizations_are_converted(tmp_path: Path, kind: str, new: bool) -> None:
    path = tmp_path / "weights.pt"
    torch.save(normalized(kind, new=not new).state_dict(), path)
    network = normalized(kind, new=new)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(2)
    load_checkpoint(network, path)
    expected = normalized(kind, new=not new)(IMAGES)
    torch.testing.assert_close(network(IMAGES), expected)


def test_a_conversion_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    half = {k: v.half() if v.is_floating_point() else v for k, v in STATE.items()}
    torch.save({"model": half, "ema": STATE}, path)
    notes = TeacherSources().find(make(), weights=path).notes
    assert "weights.pt has several state dicts; model is used" in notes
    assert any("weights in float16, converted" in note for note in notes)


def test_tensors_that_are_not_used_are_reported(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    torch.save({**under("model."), "loss.scale": torch.ones(1)}, path)
    (note,) = TeacherSources().find(make(), weights=path).notes
    assert note == "weights.pt: tensors outside model. not used: 1"


def compressed(path: Path) -> None:
    torch.save(STATE, path)
    records = {}
    with zipfile.ZipFile(path) as archive:
        records = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in records.items():
            archive.writestr(name, content)


def one_bit_flipped(path: Path) -> None:
    torch.save(STATE, path)
    content = bytearray(path.read_bytes())
    content[content.find(STATE["4.weight"].numpy().tobytes()[:16])] ^= 1
    path.write_bytes(content)


def as_program(path: Path) -> None:
    program: Any = torch.jit.script(make())
    program.save(path)


def text(start: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(start + b" " * 100)


def saving(content: Any) -> Callable[[Path], object]:
    return lambda path: torch.save(content, path)


REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "auxiliary classifier": (saving({**STATE, "aux.weight": torch.ones(2)}), "has aux.weight"),
    "other classes": (
        saving({**STATE, "4.weight": torch.ones(1000, 4), "4.bias": torch.ones(1000)}),
        r"but got shape \(1000, 4\) \(1 more of 9 differ\)",
    ),
    "two networks": (
        saving({**under("student."), **under("teacher.")}),
        "several networks of this kind",
    ),
    "whole module": (saving(make()), "holds pickled Python objects"),
    "list": (saving(list(STATE.values())), "but a list"),
    "not finite": (saving({**STATE, "4.bias": torch.full((10,), torch.nan)}), "not finite"),
    "integers": (saving({**STATE, "4.weight": torch.ones(10, 4).char()}), "quantized weights"),
    "TorchScript": (as_program, "holds a program"),
    "Keras": (text(b"\x89HDF\r\n"), "an HDF5 file"),
    "Git LFS": (text(b"version https://git-lfs.github.com/spec/v1\n"), "git lfs pull"),
    "web page": (text(b"<!doctype html><html>"), "a web page"),
    "NumPy archive": (lambda path: np.savez(path.open("wb"), a=1), "torch.save did not write"),
    "empty": (lambda path: path.touch(), "is empty"),
    "folder": (lambda path: path.mkdir(), "a folder without model.safetensors"),
    "named pipe": (os.mkfifo, "is a named pipe, not a file"),
    "compressed": (compressed, "is compressed"),
    "one flipped bit": (one_bit_flipped, "the checksum of"),
}


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
@pytest.mark.parametrize("form", REFUSED)
def test_an_unsupported_format_is_a_one_line_error_with_advice(tmp_path: Path, form: str) -> None:
    path = tmp_path / "weights.pt"
    write, words = REFUSED[form]
    write(path)
    network = make(7)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with pytest.raises(CheckpointError, match=words) as raised:
        load_checkpoint(network, path)
    assert "\n" not in str(raised.value)
    assert "weights_only" not in str(raised.value)
    after = network.state_dict()
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())


def test_a_url_is_not_downloaded() -> None:
    with pytest.raises(CheckpointError, match="is a URL: download the file"):
        load_checkpoint(make(), "https://example.org/weights.pt")
