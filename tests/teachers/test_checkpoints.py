"""Checkpoints of teachers: whose names begin otherwise, and those of other networks."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from diswot.errors import CheckpointError
from diswot.teachers import OwnView, load_checkpoint


def small() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(2, 3))


def prefixed(network: nn.Module, prefix: str) -> dict[str, Tensor]:
    return {f"{prefix}{name}": tensor for name, tensor in network.state_dict().items()}


def same(first: nn.Module, second: nn.Module) -> bool:
    other = second.state_dict()
    return all(torch.equal(tensor, other[name]) for name, tensor in first.state_dict().items())


@pytest.mark.parametrize(
    "prefix", ["", "module.", "model.", "student.", "network.", "module.model.", "_orig_mod."]
)
def test_what_stands_before_all_names_is_left_out(tmp_path: Path, prefix: str) -> None:
    trained, path = small(), tmp_path / "weights.safetensors"
    save_file(prefixed(trained, prefix), path)
    assert same(load_checkpoint(small(), path), trained)


def test_what_stands_before_some_names_is_not(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    state = small().state_dict()
    save_file({f"model.{name}" if "bias" in name else name: state[name] for name in state}, path)
    with pytest.raises(CheckpointError, match=r"expected 0\.bias of shape \(2,\), but got nothing"):
        load_checkpoint(small(), path)


def test_a_network_whose_own_names_begin_so_is_loaded(tmp_path: Path) -> None:
    trained, path = nn.ModuleDict({"model": small()}), tmp_path / "weights.pt"
    torch.save({"state_dict": prefixed(trained, "module."), "epoch": 3}, path)
    assert same(load_checkpoint(nn.ModuleDict({"model": small()}), path), trained)


def test_a_checkpoint_is_loaded_into_a_network_in_its_own_view(tmp_path: Path) -> None:
    trained, path = small(), tmp_path / "weights.safetensors"
    save_file(trained.state_dict(), path)
    view = OwnView(small())
    load_checkpoint(view, path)
    assert same(view.network, trained)
    save_file(view.state_dict(), path)
    assert same(load_checkpoint(small(), path), trained)
