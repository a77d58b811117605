"""Public CIFAR checkpoints are loaded into the built-in networks by their names."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from diswot.errors import CheckpointError
from diswot.tasks.images.teachers import TEACHERS
from diswot.teachers import load_checkpoint
from diswot.teachers._checkpoint import loaded_notes
from tests.teachers.public_networks import PUBLIC, trained

IMAGES = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))


@pytest.mark.slow
@pytest.mark.parametrize("which", PUBLIC)
@torch.no_grad()
def test_a_public_checkpoint_computes_what_it_did(tmp_path: Path, which: str) -> None:
    name, make = PUBLIC[which]
    public, path = trained(make), tmp_path / "weights.pt"
    torch.save({"state_dict": {f"module.{k}": v for k, v in public.state_dict().items()}}, path)
    found = load_checkpoint(TEACHERS[name].build(num_classes=10), path).eval()
    torch.testing.assert_close(found(IMAGES), public(IMAGES), rtol=1e-4, atol=1e-4)


def test_replaced_shortcuts_are_reported(tmp_path: Path) -> None:
    name, make = PUBLIC["akamaster resnet20"]
    path = tmp_path / "resnet20.th"
    torch.save(trained(make).state_dict(), path)
    notes = loaded_notes(TEACHERS[name].build(num_classes=10), path)
    assert notes == ("resnet20.th: its shortcuts without parameters became projections",)


def without_a_block(network: nn.Module) -> dict[str, torch.Tensor]:
    return {k: v for k, v in network.state_dict().items() if not k.startswith("layer2.1.conv2")}


def with_another_head(network: nn.Module) -> dict[str, torch.Tensor]:
    return {**network.state_dict(), "fc.weight": torch.zeros(7, 64)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without_a_block, r"expected stages\.1\.1\.conv2\.weight of .* but got nothing"),
        (
            with_another_head,
            r"expected classifier\.weight \(in the file fc\.weight\) of shape \(10, 64\), "
            r"but got shape \(7, 64\)",
        ),
    ],
)
def test_a_misfit_names_the_key(
    tmp_path: Path, change: Callable[[nn.Module], dict[str, torch.Tensor]], message: str
) -> None:
    name, make = PUBLIC["chenyaofo resnet20"]
    path = tmp_path / "weights.pt"
    torch.save(change(trained(make)), path)
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(TEACHERS[name].build(num_classes=10), path)
