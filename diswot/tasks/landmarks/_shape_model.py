"""The active shape model: smoothing of landmarks by principal components of their shapes.

Source: Cootes, Taylor, Cooper and Graham, "Active Shape Models – Their Training and
Application", CVIU 61, 1995, section 4; as the tolerant teacher's labels in Fard and Mahoor,
"Facial Landmark Points Detection Using Knowledge Distillation-Based Neural Networks",
CVIU 215:103316, 2022.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from diswot.errors import DataError, OptionError


@dataclass(frozen=True, eq=False)
class ShapeModel:
    """Principal component analysis of shapes, which are vectors of D = 2M coordinates.

    Attributes:
        mean: mean shape (D,).
        directions: orthonormal principal directions (D, K), largest variance first.
        deviations: standard deviations of the training shapes along these (K,).

    Examples:
        >>> shapes = torch.randn(50, 6, generator=torch.Generator().manual_seed(0))
        >>> model = ShapeModel.fit(shapes, fraction=0.5)
        >>> bool(model.smooth(shapes).var(0).sum() < shapes.var(0).sum())
        True
    """

    mean: Tensor
    directions: Tensor
    deviations: Tensor

    @classmethod
    def fit(cls, shapes: Tensor, *, fraction: float = 0.9) -> "ShapeModel":
        """Fit the model with the fewest directions that keep a share of the variance.

        Args:
            shapes: training shapes (n, D), n ≥ 2.
            fraction: share of the variance kept, above 0, at most 1. The paper does not print
                it; 0.9 follows the names of its files.

        Raises:
            OptionError: the fraction is out of range.
            DataError: there are fewer than two shapes, or not all coordinates are finite.
        """
        if not 0 < fraction <= 1:
            raise OptionError(f"Expected a fraction above 0 and at most 1, but got {fraction}")
        if shapes.ndim != 2 or len(shapes) < 2 or not shapes.isfinite().all():
            raise DataError(
                f"Expected at least two shapes of finite coordinates, but got {tuple(shapes.shape)}"
                ": leave out images without landmarks"
            )
        exact = shapes.double()
        mean = exact.mean(dim=0)
        # Principal components by SVD of the centered shapes.
        _, singular, directions = torch.linalg.svd(exact - mean, full_matrices=False)
        variances = singular.square() / (len(shapes) - 1)
        explained = variances.cumsum(0) / variances.sum().clamp_min(torch.finfo(torch.double).tiny)
        kept = len(variances)
        if fraction < 1:
            kept = min(kept, int((explained < fraction - 1e-12).sum()) + 1)
        return cls(mean, directions[:kept].T, variances[:kept].sqrt())

    def smooth(self, shapes: Tensor, *, sigmas: float | None = 3.0) -> Tensor:
        """Project shapes y to the model: m + P·clip(Pᵀ(y − m)), shape (n, D).

        Args:
            shapes: shapes (n, D).
            sigmas: maximum distance from the mean along each direction, in standard deviations;
                `None` for no limit.
        """
        mean, directions, deviations = (
            tensor.to(shapes.device) for tensor in (self.mean, self.directions, self.deviations)
        )
        positions = (shapes.double() - mean) @ directions
        if sigmas is not None:
            positions = positions.clamp(-sigmas * deviations, sigmas * deviations)
        return (mean + positions @ directions.T).to(shapes.dtype)
