"""The statistics by which DisWOT compares two networks, shared by scores and losses.

Source: Dong et al., "DisWOT: Student Architecture Search for Distillation WithOut
Training", CVPR 2023, arXiv 2303.15678, section 3.

The paper's text can be read in several ways; these are implemented:

- semantic: every class n has its own B×B matrix G_n G_nᵀ, from its localization maps
  as a B×H·W matrix, and the distances are averaged over the classes. (The text also
  speaks of a matrix over channels or classes; read so, class by class, the score
  mostly sees the random classifier: docs/scores.md has the figures.)
- ‖·‖₂ of a matrix is the Euclidean norm of its entries (Frobenius);
- where the feature maps differ in resolution, the larger one is average-pooled to
  the smaller.
"""

import torch
from torch import Tensor

from diswot.errors import NetworkError
from diswot.networks import Activations
from diswot.networks.precision import at_least_single, near_one
from diswot.networks.taps import pooled

Resolution = tuple[int, int]


def common_resolution(a: Activations, b: Activations) -> Resolution:
    """Return the height and width at which two feature maps are compared."""
    (height_a, width_a), (height_b, width_b) = a.resolution, b.resolution
    return min(height_a, height_b), min(width_a, width_b)


def localization_maps(activations: Activations, resolution: Resolution) -> Tensor:
    """Return the class activation maps G_n = Σ_c w_{n,c} A^c of every class.

    Returns:
        Tensor of shape (B, N, H, W).

    Raises:
        NetworkError: the classifier does not read the channels of the feature map.
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
    """Return G_n G_nᵀ / ‖G_n G_nᵀ‖₂ of every class n's localization maps, shape (N, B, B)."""
    return _normalized_gram(localization_maps(activations, resolution).transpose(0, 1).flatten(2))


def relation_similarity(activations: Activations, resolution: Resolution) -> Tensor:
    """Return Ã Ãᵀ / ‖Ã Ãᵀ‖₂ of the feature map flattened to (B, C·H·W), shape (B, B)."""
    return _normalized_gram(flat_images(activations, resolution))


def flat_images(activations: Activations, resolution: Resolution) -> Tensor:
    """Return Ã: the feature map at `resolution` as (B, C·H·W)."""
    maps = at_least_single(activations.feature_map)
    return pooled(maps, (maps.shape[1], *resolution)).flatten(1)


def _normalized_gram(rows: Tensor) -> Tensor:
    scaled = near_one(rows)
    gram = scaled @ scaled.mT
    return gram / _norm(gram)[..., None, None]


def semantic_distance(student: Tensor, teacher: Tensor) -> Tensor:
    """Return M_s: ‖·‖₂ of the difference of (N, B, B) similarities, mean over the classes."""
    return _norm(teacher - student).mean()


def relation_distance(student: Tensor, teacher: Tensor) -> Tensor:
    """Return M_r: ‖·‖₂ of the difference of (B, B) similarities."""
    return _norm(teacher - student)


def _norm(matrices: Tensor) -> Tensor:
    norm: Tensor = torch.linalg.matrix_norm(matrices)
    return norm
