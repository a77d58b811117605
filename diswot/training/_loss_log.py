"""Losses of the steps of an epoch, looked at now and then so that a GPU need not wait."""

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from accelerate import Accelerator

TOTAL = "total"


@dataclass(frozen=True)
class NotFinite:
    """A loss that is not finite: whose, which, its value, and the step from 1."""

    player: str
    name: str
    value: float
    step: int


@dataclass
class LossLog:
    """Losses of turns that were not looked at yet.

    Attributes:
        accelerator: of the training.
        turns: of each player, the steps and the losses: the total first, then its terms.
        names: of each player, what its losses are called.
    """

    accelerator: "Accelerator"
    turns: dict[str, list[tuple[int, Tensor]]] = field(default_factory=lambda: defaultdict(list))
    names: dict[str, list[str]] = field(default_factory=dict)

    def add(self, player: str, step: int, parts: list[tuple[Tensor, Mapping[str, Tensor]]]) -> None:
        """Keep the losses of a turn, the mean of its parts of the batch."""
        self.names[player] = [TOTAL, *parts[0][1]]
        rows = [
            torch.stack([total.float(), *(term.float() for term in terms.values())])
            for total, terms in parts
        ]
        self.turns[player].append((step, torch.stack(rows).mean(dim=0)))

    def settle(self, sums: dict[str, dict[str, float]]) -> "NotFinite | None":
        """Add what was kept to the sums of each player, and forget it.

        Returns:
            The first loss that is not finite, terms before totals; `None` where all are.
        """
        for player, turns in self.turns.items():
            steps, losses = zip(*turns, strict=True)
            reduced = self.accelerator.reduce(torch.stack(losses), "mean").double().tolist()
            own = sums.setdefault(player, {})
            for step, row in zip(steps, reduced, strict=True):
                values = list(zip(self.names[player], row, strict=True))
                for name, value in (*values[1:], values[0]):
                    if not math.isfinite(value):
                        return NotFinite(player, name, value, step)
                    own[name] = own.get(name, 0.0) + value
        self.turns.clear()
        return None
