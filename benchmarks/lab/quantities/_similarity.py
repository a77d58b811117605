"""Similarities of the blocks of student and teacher, other than their alignment."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.lab.quantities._source import SOURCE
from diswot.networks import Activations, Watch, as_map, is_map
from diswot.networks.layers import blocks
from diswot.networks.probe import Probe
from diswot.scorers import Card, register
from diswot.scorers.aligned_blocks import matched_depths
from diswot.scorers.positions import grid


@dataclass(frozen=True, eq=False)
class _Seen:
    """Statistics of a block's output for the batch.

    Attributes:
        relation: cosines of every two images, of norm one, (B, B).
        spectrum: shares of the principal components of the images, (B,).
        attention: the energy of each image's activations in 4 × 4 places, of norm one, (B, 16).
        positions: of the output.
    """

    relation: Tensor
    spectrum: Tensor
    attention: Tensor
    positions: int


def _seen(_given: Tensor, output: Tensor) -> _Seen:
    maps = as_map(output.detach()) if is_map(output) else grid(output.detach())
    rows = F.normalize(maps.flatten(1), dim=1)
    centered = rows - rows.mean(dim=0)
    shares = torch.linalg.eigvalsh((centered @ centered.T).double()).clamp(min=0)
    energy = maps.square().mean(dim=1, keepdim=True)
    return _Seen(
        F.normalize((rows @ rows.T).flatten(), dim=0),
        shares / shares.sum().clamp(min=1e-12),
        F.normalize(F.adaptive_avg_pool2d(energy, 4).flatten(1), dim=1),
        energy[0].numel(),
    )


_SEEN = Watch(blocks, _seen)

SIMILARITIES: Mapping[str, tuple[str, Callable[[_Seen, _Seen], Tensor]]] = {
    "relation_blocks": (
        "minus the distance of the relations of images",
        lambda one, other: -(one.relation - other.relation).norm(),
    ),
    "spectrum_blocks": (
        "minus the distance of the spectra over the images",
        lambda one, other: -(one.spectrum - other.spectrum).abs().sum(),
    ),
    "attention_blocks": (
        "cosine of where the activations are",
        lambda one, other: (one.attention * other.attention).sum(dim=1).mean(),
    ),
}
"""What is compared, block by block at the same depth."""


def _similarity(name: str, summary: str, like: Callable[[_Seen, _Seen], Tensor]) -> None:
    card = Card(name, f"{summary}, mean over the blocks", SOURCE)

    @register(card, watches=[_SEEN], teacher_watches=[_SEEN])
    def similarity(student: Probe, teacher: Activations) -> Tensor:
        own, theirs = student.watched(_SEEN), teacher.watched(_SEEN)
        pairs = zip(own, matched_depths(len(own), len(theirs)), strict=True)
        return torch.stack([like(block, theirs[at]) for block, at in pairs]).mean()


for _name, (_summary, _like) in SIMILARITIES.items():
    _similarity(_name, _summary, _like)


@register(Card("resolution", "mean ln of the positions of the blocks", SOURCE), watches=[_SEEN])
def resolution(student: Probe, _teacher: Activations) -> Tensor:
    """Return the mean over the blocks of ln of the positions of the output."""
    return torch.tensor([float(seen.positions) for seen in student.watched(_SEEN)]).log().mean()
