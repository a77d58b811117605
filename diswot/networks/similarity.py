"""The similarity statistics of DisWOT, shared by scores and losses.

Source: Dong et al., "DisWOT: Student Architecture Search for Distillation WithOut
Training", CVPR 2023, arXiv 2303.15678, section 3.

The paper's text is ambiguous; this interpretation is implemented:

- semantic: every class n has its own B×B matrix G_n G_nᵀ of its localization maps (B×H·W), and
  distances are averaged over classes. (The text also mentions a matrix over channels or
  classes; then the score mostly depends on the random classifier: docs/scores.md has figures.)
- ‖·‖₂ of a matrix is the Frobenius norm;
- if the feature maps differ in resolution, the larger one is average-pooled to the smaller.
"""

import torch
from torch import Tensor

from diswot.errors import NetworkError
from diswot.networks import Activations
from diswot.networks.precision import at_least_single, near_one
from diswot.networks.taps import pooled

Resolution = tuple[int, int]


def common_resolution(a: Activations, b: Activations) -> Resolution:
    """Return the smaller height and the smaller width of two networks' feature maps."""
    (height_a, width_a), (height_b, width_b) = a.resolution, b.resolution
    return min(height_a, height_b), min(width_a, width_b)


def localization_maps(activations: Activations, resolution: Resolution) -> Tensor:
    """Return the class activation maps G_n = Σ_c w_{n,c} A^c of all classes n.

    Args:
        activations: feature map A (B, C, H, W) and classifier weight w (N, C).
        resolution: height and width to which the feature map is pooled.

    Returns:
        Maps (B, N, H, W).

    Raises:
        NetworkError: the classifier's features are not the channels of the feature map.
    """
    channels, width = activations.feature_map.shape[1], activations.classifier_weight.shape[1]
    if channels != width:
        raise NetworkError(
            f"the classifier reads {width} features but the last feature map has {channels} "
            "channels, so class activation maps are undefined: use the scorer 'relation'"
        )
    maps = pooled(at_least_single(activations.feature_map), (channels, *resolution))
    return torch.einsum("nc,bchw->bnhw", at_least_single(activations.classifier_weight), maps)


def semantic_similarity(activations: Activations, resolution: Resolution) -> Tensor:
    """Return G_n G_nᵀ / ‖G_n G_nᵀ‖₂ for every class n: (N, B, B)."""
    return _normalized_gram(localization_maps(activations, resolution).transpose(0, 1).flatten(2))


def relation_similarity(activations: Activations, resolution: Resolution) -> Tensor:
    """Return Ã Ãᵀ / ‖Ã Ãᵀ‖₂ for the feature map Ã flattened to (B, C·H·W): (B, B)."""
    return _normalized_gram(flat_images(activations, resolution))


def flat_images(activations: Activations, resolution: Resolution) -> Tensor:
    """Return Ã, the feature map pooled to `resolution` and flattened to (B, C·H·W)."""
    maps = at_least_single(activations.feature_map)
    return pooled(maps, (maps.shape[1], *resolution)).flatten(1)


def _normalized_gram(rows: Tensor) -> Tensor:
    scaled = near_one(rows)
    gram = scaled @ scaled.mT
    return gram / _norm(gram)[..., None, None]


def semantic_distance(student: Tensor, teacher: Tensor) -> Tensor:
    """Return M_s: the norm of the difference of similarities (N, B, B), averaged over classes."""
    return _norm(teacher - student).mean()


def relation_distance(student: Tensor, teacher: Tensor) -> Tensor:
    """Return M_r: the norm of the difference of similarities (B, B)."""
    return _norm(teacher - student)


def _norm(matrices: Tensor) -> Tensor:
    norm: Tensor = torch.linalg.matrix_norm(matrices)
    return norm
