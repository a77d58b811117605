"""The gated convolutional network of source code that `GatedConvolutionSpace` builds."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

STAGE_KERNEL = 3
"""Kernel size of the two convolutions after the memory."""


class MaskedBatchNorm(nn.BatchNorm2d):
    """A batch normalization over the positions at which a mask is true; others become 0.

    The running statistics are those of tokens alone, whatever the amount of padding.
    """

    def forward(self, maps: Tensor, mask: Tensor) -> Tensor:  # type: ignore[override]
        """Normalize maps (B, C, L, 1) where mask (B, 1, L, 1) is 1; 0 elsewhere."""
        if not self.training:
            normed: Tensor = super().forward(maps) * mask
            return normed
        count = mask.sum().clamp_min(1)
        mean = (maps * mask).sum((0, 2, 3)) / count
        centered = (maps - mean.view(1, -1, 1, 1)) * mask
        variance = centered.square().sum((0, 2, 3)) / count
        self._update(mean.detach(), variance.detach() * count / (count - 1).clamp_min(1))
        scale = self.weight * (variance + self.eps).rsqrt()
        return (centered * scale.view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)) * mask

    @torch.no_grad()
    def _update(self, mean: Tensor, variance: Tensor) -> None:
        for running, value in ((self.running_mean, mean), (self.running_var, variance)):
            if running is not None and self.momentum is not None:
                running.lerp_(value.to(running), self.momentum)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)


class GatedConvolution(nn.Module):
    """A sum of gated convolutions of several kernel sizes, with a shortcut.

    Σ_k (V_k * x) ⊙ σ(G_k * x), then batch normalization, the shortcut and ReLU. Source of the
    gate: Dauphin et al., "Language Modeling with Gated Convolutional Networks", ICML 2017,
    equation 1.

    Args:
        width: channels.
        kernels: kernel sizes, odd numbers of tokens.
        gated: whether the convolutions have gates; without, they are summed.
    """

    def __init__(self, width: int, kernels: Sequence[int], *, gated: bool = True) -> None:
        super().__init__()
        self.gated = gated
        self.branches = nn.ModuleList(
            _convolution(width, width * (1 + gated), kernel) for kernel in kernels
        )
        self.norm = MaskedBatchNorm(width)

    def forward(self, maps: Tensor, mask: Tensor) -> Tensor:
        """Map (B, C, L, 1) to the same shape, 0 where mask (B, 1, L, 1) is 0."""
        total = torch.zeros_like(maps)
        for branch in self.branches:
            output = branch(maps)
            total = total + (F.glu(output, dim=1) if self.gated else output)
        result: Tensor = F.relu(maps + self.norm(total, mask))
        return result


class AdaptiveFusion(nn.Module):
    """Multi-dimensional queries of an external memory, whose answers are mixed by a gate.

    With H the maps, Q = W_q [H; mean of H over channels; mean of H over tokens],
    A = softmax(Q M_kᵀ), O = A M_v and g = W_g [H; O]; the output is σ(g) ⊙ O + (1 − σ(g)) ⊙ H.

    Source: AF-STip (arXiv 2412.11175) names these parts, but does not publish their equations;
    these, and that g depends on H and O, are ours.

    Args:
        width: channels of H.
        slots: number of slots of the memory.
        gated: whether the gate exists; without, the output is O + H.
    """

    def __init__(self, width: int, slots: int, *, gated: bool = True) -> None:
        super().__init__()
        self.query = nn.Conv2d(2 * width + 1, width, 1)
        self.keys = nn.Conv2d(width, slots, 1, bias=False)
        self.values = nn.Conv2d(slots, width, 1, bias=False)
        self.gate = nn.Conv2d(2 * width, width, 1) if gated else None

    def forward(self, maps: Tensor, mask: Tensor) -> Tensor:
        """Map (B, C, L, 1) to the same shape, 0 where mask (B, 1, L, 1) is 0."""
        tokens = mean_of_tokens(maps, mask)[..., None, None].expand_as(maps)
        queries = self.query(torch.cat([maps, maps.mean(1, keepdim=True), tokens], 1))
        answers = self.values(self.keys(queries).softmax(1))
        mixed: Tensor = answers + maps
        if self.gate is not None:
            share = self.gate(torch.cat([maps, answers], 1)).sigmoid()
            mixed = share * answers + (1 - share) * maps
        return mixed * mask


class ConvolutionStage(nn.Module):
    """A convolution over three tokens, batch normalization and ReLU."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.convolution = _convolution(width, width, STAGE_KERNEL)
        self.norm = MaskedBatchNorm(width)

    def forward(self, maps: Tensor, mask: Tensor) -> Tensor:
        """Map (B, C, L, 1) to the same shape, 0 where mask (B, 1, L, 1) is 0."""
        return F.relu(self.norm(self.convolution(maps), mask))


class GatedConvolutionNetwork(nn.Module):
    """A classifier of token sequences by gated convolutions and adaptive fusion.

    Embedding and batch normalization, gated convolutions, adaptive fusion with an external
    memory, two convolutions, and a linear classifier on the mean and the maximum over tokens.
    Outputs do not depend on padding.

    Source: AF-STip (arXiv 2412.11175), which publishes no layer sizes; the sizes are ours.

    Args:
        vocabulary: number of token ids.
        outputs: outputs of the classifier.
        width: channels.
        kernels: kernel sizes of the gated convolutions.
        slots: slots of the external memory; 0 leaves the fusion out.
        depth: number of gated convolutions.
        gated: whether convolutions and fusion have gates.

    Raises:
        ValueError: a number is too small, or a kernel size is even.

    Examples:
        >>> import torch
        >>> network = GatedConvolutionNetwork(
        ...     vocabulary=100, outputs=5, width=8, kernels=(3, 5), slots=4, depth=1)
        >>> tokens = torch.tensor([[4, 7, 2, 0]])
        >>> network(tokens, tokens != 0).shape
        torch.Size([1, 5])
    """

    def __init__(
        self,
        *,
        vocabulary: int,
        outputs: int,
        width: int,
        kernels: Sequence[int],
        slots: int,
        depth: int,
        gated: bool = True,
    ) -> None:
        super().__init__()
        if min(vocabulary, outputs, width, depth, *kernels) < 1 or slots < 0 or not kernels:
            raise ValueError(
                "Expected vocabulary, outputs, width, kernels and depth of at least 1 and slots of "
                f"at least 0, but got {vocabulary}, {outputs}, {width}, {kernels}, {depth} and "
                f"{slots}"
            )
        if any(kernel % 2 == 0 for kernel in kernels):
            raise ValueError(f"Expected odd kernel sizes, but got {tuple(kernels)}")
        self.tokens = nn.Embedding(vocabulary, width)
        self.norm = MaskedBatchNorm(width)
        blocks: list[nn.Module] = [
            GatedConvolution(width, kernels, gated=gated) for _ in range(depth)
        ]
        if slots:
            blocks.append(AdaptiveFusion(width, slots, gated=gated))
        self.blocks = nn.ModuleList([*blocks, ConvolutionStage(width), ConvolutionStage(width)])
        self.classifier = nn.Linear(2 * width, outputs)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Map token ids (B, L) and padding mask (B, L) to logits (B, outputs)."""
        embedded = self.tokens(input_ids)
        mask = attention_mask[:, None, :, None].to(embedded.dtype)
        maps = self.norm(embedded.mT[..., None], mask)
        for block in self.blocks:
            maps = block(maps, mask)
        # After a ReLU and with zeros at padding, the maximum is that of the tokens.
        features = torch.cat([mean_of_tokens(maps, mask), maps.amax((2, 3))], 1)
        logits: Tensor = self.classifier(features)
        return logits


def mean_of_tokens(maps: Tensor, mask: Tensor) -> Tensor:
    """Return the mean (B, C) of maps (B, C, L, 1), which are 0 where mask (B, 1, L, 1) is 0."""
    mean: Tensor = maps.sum((2, 3)) / mask.sum((2, 3)).clamp_min(1)
    return mean


def _convolution(channels: int, width: int, kernel: int) -> nn.Conv2d:
    """Return a convolution over tokens, which are the height of the maps."""
    return nn.Conv2d(channels, width, (kernel, 1), padding=(kernel // 2, 0))
