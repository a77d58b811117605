"""Checkpoints of teachers: whose names begin otherwise, and those of other networks."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from diswot.errors import CheckpointError
from diswot.tasks.images import ImageSpec
from diswot.teachers import TEACHERS, AsTrained, find_teacher, load_checkpoint

GREY = ImageSpec((1, 16, 16), 10, (0.3,), (0.4,), 16.0)


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
    view = AsTrained(small(), GREY)
    load_checkpoint(view, path)
    assert same(view.network, trained)
    save_file(view.state_dict(), path)
    assert same(load_checkpoint(small(), path), trained)


def test_the_first_misfit_is_named_with_both_shapes(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_file(TEACHERS["wrn-16-2"].build(num_classes=10, in_channels=1).state_dict(), path)
    with pytest.raises(
        CheckpointError,
        match=r"expected stages\.0\.0\.conv1\.weight of shape \(16, 16, 3, 3\), "
        r"but got shape \(32, 16, 3, 3\)",
    ):
        find_teacher("wrn-40-1", GREY, weights=path)


def test_a_built_in_teacher_has_the_weights_of_its_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    network = TEACHERS["shufflenet-v2"].build(num_classes=10, in_channels=1)
    save_file(network.state_dict(), path)
    bare, trained = (find_teacher("shufflenet-v2", GREY, weights=each) for each in (None, path))
    assert bare.weights is None
    assert trained.weights is not None
    assert same(trained.weights(), network)
    assert bare.digest() != trained.digest()
