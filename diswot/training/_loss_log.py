"""Losses of the steps of an epoch, read in bunches to avoid a GPU synchronization per step."""

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
    """A loss that is not finite.

    Attributes:
        player: name of the player.
        name: name of the term, or `TOTAL`.
        value: infinity or NaN.
        step: number of the step in the epoch, from 1.
    """

    player: str
    name: str
    value: float
    step: int


@dataclass
class LossLog:
    """Losses of recent steps that are still on the device.

    Attributes:
        accelerator: the accelerator of the training, which averages over processes.
        turns: for each player, pairs of the step and its losses (1 + terms,), total first.
        names: for each player, the names of these losses.
    """

    accelerator: "Accelerator"
    turns: dict[str, list[tuple[int, Tensor]]] = field(default_factory=lambda: defaultdict(list))
    names: dict[str, list[str]] = field(default_factory=dict)

    def add(self, player: str, step: int, parts: list[tuple[Tensor, Mapping[str, Tensor]]]) -> None:
        """Add the losses of a step, averaged over the parts of the batch.

        Args:
            player: name of the player.
            step: number of the step in the epoch, from 1.
            parts: for each part of the batch, the total and its terms by name.
        """
        self.names[player] = [TOTAL, *parts[0][1]]
        rows = [
            torch.stack([total.float(), *(term.float() for term in terms.values())])
            for total, terms in parts
        ]
        self.turns[player].append((step, torch.stack(rows).mean(dim=0)))

    def settle(self, sums: dict[str, dict[str, float]]) -> "NotFinite | None":
        """Read the losses from the device, add them to `sums`, and clear the log.

        Args:
            sums: for each player, sums of its losses by name; changed in place.

        Returns:
            The first loss that is not finite, terms before totals; `None` if all are finite.
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
