"""A training that diverges does not stop the run or the comparison."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import diswot
from diswot.errors import RunError
from diswot.pipeline import read_verdict
from diswot.tasks.images import load_data
from search_spaces import Architecture, Choice, ChoiceSpace

QUICK: dict[str, Any] = {
    "budget": diswot.Budget(params=10**6),
    "scorer": "params",
    "repeats": 1,
    "batch_size": 8,
    "engine": "exhaustive",
    "epochs": 1,
    "force": True,
    "onnx": False,
}


def _not_finite(gradient: Tensor) -> Tensor:
    return gradient * float("nan")


class Diverging(ChoiceSpace):
    """A space whose wider networks get gradients that are not finite."""

    width = Choice(4, 8, 12)

    def __init__(self, least: int) -> None:
        super().__init__()
        self.least = least

    def build(self, arch: Architecture, num_classes: int) -> nn.Module:
        first, last = nn.Conv2d(1, arch.width, 3), nn.Linear(arch.width, num_classes)
        if arch.width >= self.least:
            last.weight.register_hook(_not_finite)  # type: ignore[no-untyped-call]
        return nn.Sequential(first, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), last)


def teacher() -> nn.Module:
    torch.manual_seed(0)
    return Diverging(99).build(Diverging(99).from_string("width=12"), 10)


@pytest.mark.processes
def test_a_baseline_replaces_a_winner_that_diverges(tmp_path: Path) -> None:
    data = load_data("digits")
    found = diswot.run(teacher(), Diverging(12), data=data, out=tmp_path / "r", **QUICK)
    assert found.search.best.name == "width=12"
    assert found.verdict.take in ("smallest", "random")
    assert found.verdict.architecture != "width=12"
    assert any("winner with diswot could not be trained" in n for n in found.verdict.notes)
    assert read_verdict(tmp_path / "r") == found.verdict
    rows = {row.label: row for row in found.rows}
    assert not rows["winner"].measures
    assert rows["smallest"].measures


@pytest.mark.slow
def test_a_run_in_which_every_training_diverges_fails(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"is nan"):
        diswot.run(teacher(), Diverging(1), out=tmp_path / "r", **QUICK)
