"""Distillation losses as scores: the negated loss between untrained student and teacher.

Source: the "KD-based zero-proxies" of Dong et al., DisWOT, CVPR 2023, with student and teacher
at random initialization. The losses are those of `diswot.losses`, computed on the activations
that their papers use.
"""

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor
from torch.nn import functional as F

from diswot.losses import fitnet_loss, kd_loss
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
    found = stages(activations)
    return [(found[len(found) // 2],)]


def _stages(activations: Activations) -> Taps:
    return [(maps,) for maps in stages(activations)]


def _flows(activations: Activations) -> Taps:
    return [*flows(activations)]


def _as_it_is(own: Shape, _other: Shape) -> Shape:
    return own


def _itself(values: Tensor) -> Tensor:
    return values


_READS: dict[Callable[[Activations], Taps], str] = {
    _logits: "logits",
    _features: "features",
    _last_map: "feature maps",
    _middle_stage: "stages",
    _stages: "stages",
    _flows: "stages",
}

_WIDER = "where widths differ, neighboring channels of the wider are averaged (nothing is trained)"
_STAGES = "networks of blocks or convolutions whose outputs are feature maps or tokens"


def _registered(
    name: str,
    summary: str,
    source: str,
    *,
    supports: str,
    score: LossScore,
    watches: Sequence[Watch[Any]] = (),
) -> LossScore:
    card = Card(
        name, f"minus the loss: {summary}", source, supports=supports, reads=(_READS[score.read],)
    )
    return register(card, watches=watches, teacher_watches=watches)(score)


kd = _registered(
    "kd",
    "softened class probabilities (KD)",
    "Hinton et al., arXiv 1503.02531, section 2",
    supports="networks that return logits",
    score=LossScore(_logits, _as_it_is, _itself, kd_loss),
)
fitnet = _registered(
    "fitnet",
    "the feature map in the middle (FitNets)",
    "Romero et al., ICLR 2015, equation 3",
    supports=f"{_STAGES}; {_WIDER}",
    score=LossScore(_middle_stage, common_shape, _itself, fitnet_loss),
    watches=[BLOCK_MAPS],
)
at = _registered(
    "at",
    "where each stage is active (AT)",
    "Zagoruyko and Komodakis, ICLR 2017, equation 2",
    supports=_STAGES,
    score=LossScore(_stages, common_height_and_width, attention_maps, F.mse_loss),
    watches=[BLOCK_MAPS],
)
sp = _registered(
    "sp",
    "image-to-image similarities (SP)",
    "Tung and Mori, ICCV 2019, equation 4",
    supports="networks with a last feature map",
    score=LossScore(_last_map, common_height_and_width, image_similarities, F.mse_loss),
)
cc = _registered(
    "cc",
    "correlations among the images' features (CC)",
    "Peng et al., ICCV 2019, section 3",
    supports="networks with a linear classifier",
    score=LossScore(_features, _as_it_is, image_correlations, F.mse_loss),
)
rkd = _registered(
    "rkd",
    "distances and angles among the images' features (RKD)",
    "Park et al., CVPR 2019, section 3.2",
    supports="networks with a linear classifier",
    score=LossScore(_features, _as_it_is, relations, rkd_distance),
)
pkt = _registered(
    "pkt",
    "which images are neighbors, as probabilities (PKT)",
    "Passalis and Tefas, ECCV 2018, section 3",
    supports="networks with a linear classifier",
    score=LossScore(_features, _as_it_is, neighbor_probabilities, pkt_distance),
)
nst = _registered(
    "nst",
    "which places excite the channels of each stage (NST)",
    "Huang and Wang, arXiv 1707.01219, section 4",
    supports=_STAGES,
    score=LossScore(_stages, common_height_and_width, selectivities, nst_distance),
    watches=[BLOCK_MAPS],
)
ickd = _registered(
    "ickd",
    "correlations among the channels (ICKD)",
    "Liu et al., ICCV 2021, section 3",
    supports=f"networks with a last feature map; {_WIDER}",
    score=LossScore(_last_map, common_shape, channel_correlations, ickd_distance),
)
kdsvd = _registered(
    "kdsvd",
    "correlations among singular vectors of each stage's ends (KD-SVD)",
    "Lee et al., ECCV 2018, section 3",
    supports=f"{_STAGES}; {_WIDER}",
    score=LossScore(_flows, common_shape, singular_vectors, kdsvd_distance),
    watches=[BLOCK_MAPS],
)
fsp = _registered(
    "fsp",
    "how the first map of each stage leads to the last (FSP)",
    "Yim et al., CVPR 2017, equations 1 and 2",
    supports=f"{_STAGES}; {_WIDER}",
    score=LossScore(_flows, common_shape, flow_matrices, fsp_distance),
    watches=[BLOCK_MAPS],
)
