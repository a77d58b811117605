"""Additional forward and backward passes of scorers, on parts of the batch."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from diswot.errors import NetworkError
from diswot.networks.layers import weight_layers
from diswot.networks.output import run
from diswot.networks.probe import Probe


class EachImageAlone(TorchFunctionMode):
    """A context in which batch normalization treats every image as a batch of its own.

    One pass of a batch then gives the same outputs as passes of single images. Running
    statistics are not updated.

    Examples:
        >>> normalize, images = torch.nn.BatchNorm2d(3), torch.randn(4, 3, 8, 8)
        >>> one_by_one = torch.cat([normalize(image[None]) for image in images])
        >>> with EachImageAlone():
        ...     together = normalize(images)
        >>> torch.allclose(together, one_by_one, atol=1e-6)
        True
    """

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if func is F.batch_norm:
            return _batch_norm(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))


def _batch_norm(
    input: Tensor,  # noqa: A002
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    if not training:
        return F.batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    if input[0, 0].numel() == 1:
        raise NetworkError(
            "batch normalization of one image has one value a channel here, so no variance: "
            "use larger images, or a scorer that does not take images one by one"
        )
    if len(input) == 1:
        return F.batch_norm(input, None, None, weight, bias, True, momentum, eps)
    return _instance_norm(input, weight, bias, eps)


def _instance_norm(
    images: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float
) -> Tensor:
    """Compute the same as `F.instance_norm`, for (B, C, …).

    With channels-last memory, `F.instance_norm` takes twice as long, and in torch 2.13 its
    gradient is wrong for a batch of one.
    """
    positions = tuple(range(2, images.ndim))
    variance, mean = torch.var_mean(images, dim=positions, correction=0, keepdim=True)
    scale = torch.rsqrt(variance + eps)
    if weight is not None:
        scale = scale * weight.reshape(-1, *[1] * len(positions))
    shift = -mean * scale
    if bias is not None:
        shift = shift + bias.reshape(-1, *[1] * len(positions))
    return torch.addcmul(shift, images, scale)


def loss_gradients(student: Probe, images: slice) -> list[Tensor]:
    """Return the gradients of the mean cross-entropy of some examples.

    Args:
        student: the network with its batch and labels.
        images: which examples of the batch are used.

    Returns:
        One gradient per convolution and linear layer, of the shape of its weight; zero for
        layers that the output does not depend on.
    """
    with torch.enable_grad():
        output = run(student.network, *student.examples(images), who=student.who)
        loss = F.cross_entropy(output, student.targets[images])
    return student.gradients(loss, [layer.weight for layer in weight_layers(student.network)])
