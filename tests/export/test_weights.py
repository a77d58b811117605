"""`load()` of an exported student accepts only the exported weights."""

import hashlib
import importlib.util
import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

import diswot
from diswot.tasks.images import load_data

pytestmark = pytest.mark.processes

Header = dict[str, Any]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.LazyLinear(10))
    network(torch.zeros(1, 1, 16, 16))
    folder = tmp_path_factory.mktemp("written") / "student"
    diswot.export(network, folder, signature=load_data("digits").signature, onnx=False)
    return folder


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "student"))


def load(folder: Path) -> nn.Module:
    spec = importlib.util.spec_from_file_location("student", folder / "student.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    network: nn.Module = module.load()
    return network


def parts(content: bytes) -> tuple[Header, bytes]:
    start = 8 + int.from_bytes(content[:8], "little")
    return json.loads(content[8:start]), content[start:]


def packed(header: object, data: bytes) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def replace(folder: Path, content: bytes) -> None:
    """Replace the weights and their digest, so that only the reader can detect the change."""
    (folder / "weights.safetensors").write_bytes(content)
    config = json.loads((folder / "config.json").read_text())
    config["weights"]["sha256"] = hashlib.sha256(content).hexdigest()
    (folder / "config.json").write_text(json.dumps(config))


def changed(**entry: Any) -> Callable[[Header, bytes], bytes]:
    def change(header: Header, data: bytes) -> bytes:
        header["3.weight"] |= entry
        return packed(header, data)

    return change


def swapped(header: Header, data: bytes) -> bytes:
    one, other = header["1.running_mean"], header["1.running_var"]
    one["data_offsets"], other["data_offsets"] = other["data_offsets"], one["data_offsets"]
    return packed(header | {"1.weight": one}, data)


def twice(header: Header, data: bytes) -> bytes:
    text = json.dumps(header)
    entry = json.dumps(header["0.bias"])
    return packed(f'{text[:-1]}, "0.bias": {entry}}}'.encode(), data)


def without(header: Header, data: bytes) -> bytes:
    last = max(header, key=lambda name: header[name]["data_offsets"])
    begin, _ = header.pop(last)["data_offsets"]
    return packed(header, data[:begin])


def more(header: Header, data: bytes) -> bytes:
    end = len(data)
    entry = {"dtype": "F32", "shape": [1], "data_offsets": [end, end + 4]}
    return packed(header | {"more": entry}, data + bytes(4))


LIES: dict[str, Callable[[Header, bytes], bytes]] = {
    "overlapping tensors": changed(data_offsets=[0, 31360]),
    "another width": changed(dtype="F16"),
    "a type that is none": changed(dtype="X"),
    "a shape of another size": changed(shape=[10, 1]),
    "a transposed shape": changed(shape=[784, 10]),
    "a shape that is not a number": changed(shape=[float("nan"), 784]),
    "a negative shape": changed(shape=[-10, -784]),
    "offsets beyond the file": changed(data_offsets=[10**12, 10**12 + 31360]),
    "offsets backwards": changed(data_offsets=[31360, 0]),
    "one offset": changed(data_offsets=[0]),
    "offsets that are text": changed(data_offsets="ab"),
    "one place for two tensors": swapped,
    "a name twice": twice,
    "a tensor missing": without,
    "a tensor more": more,
    "bytes left over": lambda header, data: packed(header, data + b"more"),
    "bytes missing": lambda header, data: packed(header, data[:-4]),
    "a list": lambda header, data: packed([header], data),
    "no JSON": lambda _, data: packed(b"{", data),
    "lists in lists": lambda _, data: packed(b"[" * 100_000, data),
    "a header of any length": lambda _, data: struct.pack("<Q", 2**63) + data,
    "nothing": lambda _, __: b"",
}


def test_the_exported_weights_are_loaded(folder: Path) -> None:
    assert load(folder)(torch.zeros(2, 1, 16, 16)).shape == (2, 10)


@pytest.mark.parametrize("lie", LIES)
def test_inconsistent_weights_with_a_valid_digest_are_refused(lie: str, folder: Path) -> None:
    content = LIES[lie](*parts((folder / "weights.safetensors").read_bytes()))
    replace(folder, content)
    with pytest.raises(ValueError, match=r"weights\.safetensors is not the file"):
        load(folder)


def test_the_digest_detects_a_changed_bit(folder: Path) -> None:
    content = bytearray((folder / "weights.safetensors").read_bytes())
    content[-1] ^= 1
    (folder / "weights.safetensors").write_bytes(content)
    with pytest.raises(ValueError, match="is damaged or of another network: its SHA-256"):
        load(folder)


@pytest.mark.parametrize(
    "described", [None, [], {}, {"sha256": 0}, {"sha256": "", "tensors": {"0.weight": []}}]
)
def test_a_config_that_describes_other_weights_is_refused(described: object, folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text()) | {"weights": described}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match=r"config\.json describes"):
        load(folder)


@given(st.integers(0, 900), st.integers(0, 255))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_changed_byte_is_refused_or_all_tensors_load(
    folder: Path, written: Path, place: int, value: int
) -> None:
    content = bytearray((written / "weights.safetensors").read_bytes())
    content[place] = value
    replace(folder, bytes(content))
    try:
        network = load(folder)
    except ValueError:
        return
    assert network.state_dict().keys() == load(written).state_dict().keys()
