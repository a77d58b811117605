"""Checkpoints of teachers: prefixed names, and checkpoints of other networks."""

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
def test_a_prefix_of_all_names_is_removed(tmp_path: Path, prefix: str) -> None:
    trained, path = small(), tmp_path / "weights.safetensors"
    save_file(prefixed(trained, prefix), path)
    assert same(load_checkpoint(small(), path), trained)


def test_a_prefix_of_only_some_names_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    state = small().state_dict()
    save_file({f"model.{name}" if "bias" in name else name: state[name] for name in state}, path)
    with pytest.raises(CheckpointError, match=r"expected 0\.bias of shape \(2,\), but got nothing"):
        load_checkpoint(small(), path)


def test_a_network_with_such_prefixes_itself_is_loaded(tmp_path: Path) -> None:
    trained, path = nn.ModuleDict({"model": small()}), tmp_path / "weights.pt"
    torch.save({"state_dict": prefixed(trained, "module."), "epoch": 3}, path)
    assert same(load_checkpoint(nn.ModuleDict({"model": small()}), path), trained)


def test_a_checkpoint_is_loaded_into_a_wrapped_network(tmp_path: Path) -> None:
    trained, path = small(), tmp_path / "weights.safetensors"
    save_file(trained.state_dict(), path)
    view = OwnView(small())
    load_checkpoint(view, path)
    assert same(view.network, trained)
    save_file(view.state_dict(), path)
    assert same(load_checkpoint(small(), path), trained)
