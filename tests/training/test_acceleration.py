"""Options that make trainings faster: channels-last, TF32 and `torch.compile`."""

from typing import Any

import pytest
import torch
from torch import nn

import diswot
from diswot.errors import OptionError
from diswot.training import Recipe, _acceleration
from search_spaces import CifarResNet


def student() -> nn.Module:
    torch.manual_seed(0)
    return CifarResNet((1, 1), num_classes=10, widths=(4, 4, 8), in_channels=1)


def trained(loss: str = "alone", **options: Any) -> tuple[nn.Module, float]:
    """Return a student after an epoch, and its loss on the training split."""
    network = student()
    teacher = None if loss == "alone" else student()
    done = diswot.distill(
        network, teacher, data="digits", loss=loss, epochs=1, force=True, **options
    )
    return network, done.history[0].train_loss


@pytest.mark.slow
def test_channels_last_gives_the_same_losses() -> None:
    (plain, before), (network, after) = trained(), trained(channels_last=True)
    assert after == pytest.approx(before, rel=1e-3)
    assert all(weight.is_contiguous() for weight in network.parameters())
    assert not torch.equal(*(next(each.parameters()) for each in (plain, student())))


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["alone", "ce + 100*at"])
def test_compiled_networks_give_the_same_losses(monkeypatch: pytest.MonkeyPatch, loss: str) -> None:
    monkeypatch.setattr(_acceleration, "COMPILER", "aot_eager")
    (_, before), (network, after) = trained(loss), trained(loss, compile=True)
    assert after == pytest.approx(before, rel=1e-3)
    assert network._compiled_call_impl is None


def test_tf32_requires_an_nvidia_gpu() -> None:
    with pytest.raises(OptionError, match="Expected an NVIDIA GPU for TF32, but got cpu"):
        diswot.distill(student(), None, data="digits", loss="alone", epochs=1, tf32=True)


def test_tf32_is_allowed_inside_and_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    with _acceleration.faster([], Recipe(1, tf32=True), "cuda:0"):
        assert torch.backends.cuda.matmul.allow_tf32
        assert torch.backends.cudnn.allow_tf32
    assert (torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32) == before
