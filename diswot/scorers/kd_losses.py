"""Distillation losses as scores: the negated loss between untrained student and teacher.

Source: the "KD-based zero-proxies" of Dong et al., DisWOT, CVPR 2023, with student and teacher
at random initialization. The losses of `diswot.losses` are computed on the activations
that their papers use.
"""

from collections.abc import Sequence
from typing import Any

from torch import Tensor
from torch.nn import functional as F

from diswot.losses import find_term_spec, fitnet_loss, kd_loss
from diswot.losses.at import attention_maps
from diswot.losses.cc import image_correlations
from diswot.losses.fsp import flow_matrices, fsp_distance
from diswot.losses.ickd import channel_correlations, ickd_distance
from diswot.losses.kdsvd import kdsvd_distance, singular_vectors
from diswot.losses.nst import nst_distance, selectivities
from diswot.losses.pkt import neighbor_probabilities, pkt_distance
from diswot.losses.rkd import relations, rkd_distance
from diswot.losses.sp import image_similarities
from diswot.networks import Activations, Watch
from diswot.networks.taps import (
    BLOCK_MAPS,
    Shape,
    common_height_and_width,
    common_shape,
    flows,
    stages,
)
from diswot.scorers._card import Card
from diswot.scorers._loss_score import LossScore, Taps
from diswot.scorers._registry import register


def _logits(activations: Activations) -> Taps:
    return [(activations.output,)]


def _features(activations: Activations) -> Taps:
    return [(activations.features,)]


def _last_map(activations: Activations) -> Taps:
    return [(activations.feature_map,)]


def _middle_stage(activations: Activations) -> Taps:
    result = stages(activations)
    return [(result[len(result) // 2],)]


def _stages(activations: Activations) -> Taps:
    return [(maps,) for maps in stages(activations)]


def _flows(activations: Activations) -> Taps:
    return [*flows(activations)]


def _as_it_is(own: Shape, _other: Shape) -> Shape:
    return own


def _itself(values: Tensor) -> Tensor:
    return values


_WIDER = "where widths differ, neighboring channels of the wider are averaged (nothing is trained)"
_STAGES = "networks of blocks or convolutions whose outputs are feature maps or tokens"


def _registered(
    name: str,
    *,
    supports: str,
    score: LossScore,
    watches: Sequence[Watch[Any]] = (),
) -> LossScore:
    loss = find_term_spec(name).card
    summary = f"negative loss: {loss.summary}"
    card = Card(name, summary, loss.source, supports=supports, reads=loss.reads)
    return register(card, watches=watches, teacher_watches=watches)(score)


kd = _registered(
    "kd",
    supports="networks that return logits",
    score=LossScore(_logits, _as_it_is, _itself, kd_loss),
)
fitnet = _registered(
    "fitnet",
    supports=f"{_STAGES}; {_WIDER}",
    score=LossScore(_middle_stage, common_shape, _itself, fitnet_loss),
    watches=[BLOCK_MAPS],
)
at = _registered(
    "at",
    supports=_STAGES,
    score=LossScore(_stages, common_height_and_width, attention_maps, F.mse_loss),
    watches=[BLOCK_MAPS],
)
sp = _registered(
    "sp",
    supports="networks with a last feature map",
    score=LossScore(_last_map, common_height_and_width, image_similarities, F.mse_loss),
)
cc = _registered(
    "cc",
    supports="networks with a linear classifier",
    score=LossScore(_features, _as_it_is, image_correlations, F.mse_loss),
)
rkd = _registered(
    "rkd",
    supports="networks with a linear classifier",
    score=LossScore(_features, _as_it_is, relations, rkd_distance),
)
pkt = _registered(
    "pkt",
    supports="networks with a linear classifier",
    score=LossScore(_features, _as_it_is, neighbor_probabilities, pkt_distance),
)
nst = _registered(
    "nst",
    supports=_STAGES,
    score=LossScore(_stages, common_height_and_width, selectivities, nst_distance),
    watches=[BLOCK_MAPS],
)
ickd = _registered(
    "ickd",
    supports=f"networks with a last feature map; {_WIDER}",
    score=LossScore(_last_map, common_shape, channel_correlations, ickd_distance),
)
kdsvd = _registered(
    "kdsvd",
    supports=f"{_STAGES}; {_WIDER}",
    score=LossScore(_flows, common_shape, singular_vectors, kdsvd_distance),
    watches=[BLOCK_MAPS],
)
fsp = _registered(
    "fsp",
    supports=f"{_STAGES}; {_WIDER}",
    score=LossScore(_flows, common_shape, flow_matrices, fsp_distance),
    watches=[BLOCK_MAPS],
)
