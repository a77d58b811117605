"""Noise with the mean and the standard deviation that a teacher's first layers were trained on."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from diswot.errors import TeacherError


@dataclass(frozen=True)
class InputStatistics:
    """Estimated statistics of the inputs that a teacher was trained on.

    Attributes:
        mean: mean of every channel of the images or embeddings (C,).
        std: standard deviation of the pixels, a scalar; of every channel of embeddings (C,).
    """

    mean: Tensor
    std: Tensor


@torch.no_grad()
def input_statistics(teacher: nn.Module) -> InputStatistics:
    """Estimate the mean and standard deviation of a teacher's training images.

    For independent pixels with channel means m_c and variance s², the outputs of the first
    convolution with weights w_kc and bias b_k have the means b_k + Σ_c m_c Σ w_kc and the
    variances s² Σ w_k². Both are fitted by least squares to the running mean and variance of
    the batch normalization that follows. The paper (AF-STip) does not define its statistics;
    this estimate is ours.

    Args:
        teacher: a network whose first convolution is followed by a batch normalization.

    Raises:
        TeacherError: it has no such layers, or the normalization has no running statistics.
    """
    layers = [each for each in teacher.modules() if isinstance(each, nn.Conv2d | _BatchNorm)]
    if len(layers) < 2 or not isinstance(layers[0], nn.Conv2d):
        raise without_statistics("no convolution with a batch normalization behind it")
    conv, norm = layers[:2]
    mean, var = getattr(norm, "running_mean", None), getattr(norm, "running_var", None)
    if mean is None or var is None:
        raise without_statistics(
            "no batch normalization with running statistics behind its first layer"
        )
    if len(mean) != conv.out_channels or conv.groups != 1:
        raise without_statistics("a first convolution that its batch normalization does not follow")
    bias = torch.zeros_like(mean) if conv.bias is None else conv.bias
    sums = conv.weight.sum((2, 3))  # (K, C)
    means = torch.linalg.lstsq(sums.double(), (mean - bias).double()[:, None]).solution[:, 0]
    powers = conv.weight.flatten(1).square().sum(1)
    variance = (var @ powers) / (powers @ powers).clamp_min(1e-12)
    return InputStatistics(means.float().cpu(), variance.clamp_min(1e-6).sqrt().cpu())


def without_statistics(what: str) -> TeacherError:
    """Return the error for a teacher without statistics.

    Args:
        what: what it lacks.
    """
    return TeacherError(
        f"Expected a teacher that carries statistics of its training data, but it has {what}: "
        "choose other pseudo-samples (--samples dafl)"
    )
