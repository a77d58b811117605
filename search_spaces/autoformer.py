"""AutoFormer's space: vision transformers of variable width, depth, heads and MLP ratios."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from torch import nn

from search_spaces._choice_space import Choice
from search_spaces._contract import Architecture, SearchSpace
from search_spaces.vision_transformer import VisionTransformer, check_patches


class AutoFormerArchitecture(NamedTuple):
    """An architecture of `AutoFormerSpace`.

    Attributes:
        hidden: channels of a token.
        heads: number of attention heads, per layer.
        mlp_ratios: channels inside the MLP as a multiple of `hidden`, per layer.
    """

    hidden: int
    heads: tuple[int, ...]
    mlp_ratios: tuple[float, ...]


class AutoFormerSpace(SearchSpace):
    """Vision transformers of variable width and depth, with heads and MLP ratio per layer.

    Source: AutoFormer (Chen et al., ICCV 2021, arXiv 2107.00651), section 4; by default
    the options of AutoFormer-tiny. Networks are
    [`VisionTransformer`][search_spaces.VisionTransformer]s, without the relative positions
    of the released code. An architecture of three layers is written `216-h3,4,4-m3.5,4,4`:
    hidden size, heads of each layer, MLP ratios of each layer.

    Args:
        image_size: height and width of the images, which must have this size.
        patch_size: height and width of a patch. The default, 4, divides the default images of
            32 pixels into 8×8 patches; the paper's 16 divides images of 224 into 14×14.
        in_channels: channels of the images.
        hidden_dims: hidden sizes to choose from.
        depths: numbers of layers to choose from.
        heads: numbers of attention heads that a layer can have.
        mlp_ratios: MLP ratios that a layer can have.

    Raises:
        ValueError: there are no options, options are equal or invalid, or the image size is
            not a multiple of the patch size.

    Examples:
        >>> import torch
        >>> space = AutoFormerSpace(depths=(2, 3))
        >>> space.size
        240
        >>> arch = space.from_string("216-h3,4,4-m3.5,4,4")
        >>> arch.heads
        (3, 4, 4)
        >>> space.build(arch, num_classes=10)(torch.zeros(2, 3, 32, 32)).shape
        torch.Size([2, 10])
    """

    def __init__(
        self,
        *,
        image_size: int = 32,
        patch_size: int = 4,
        in_channels: int = 3,
        hidden_dims: Sequence[int] = (192, 216, 240),
        depths: Sequence[int] = (12, 13, 14),
        heads: Sequence[int] = (3, 4),
        mlp_ratios: Sequence[float] = (3.5, 4),
    ) -> None:
        check_patches(image_size, patch_size)
        self.image_size = image_size
        self.patch_size = patch_size
        self.in_channels = in_channels
        self.genes = {
            "hidden": Choice(*hidden_dims),
            "depth": Choice(*depths),
            "heads": Choice(*heads),
            "mlp_ratios": Choice(*mlp_ratios),
        }
        thinnest = min(mlp_ratios) * min(hidden_dims)
        if min(*hidden_dims, *depths, *heads, thinnest, in_channels) < 1:
            raise ValueError(
                "Expected hidden_dims, depths, heads, hidden size × MLP ratio and in_channels of "
                f"at least 1, but got {hidden_dims}, {depths}, {heads}, {thinnest:g}, {in_channels}"
            )

    def _options(self) -> tuple[Any, ...]:
        """Return the options of hidden size, depth, heads and MLP ratio."""
        return tuple(choice.options for choice in self.genes.values())

    @property
    def size(self) -> int:
        """Number of architectures: hidden sizes × the sum over depths d of (heads × ratios)^d."""
        hidden, depths, heads, ratios = self._options()
        layer = len(heads) * len(ratios)
        return len(hidden) * sum(int(layer**depth) for depth in depths)

    def __iter__(self) -> Iterator[Architecture]:
        """Yield all architectures, ordered by hidden size and depth."""
        hidden_dims, depths, heads, ratios = self._options()
        for hidden, depth in product(hidden_dims, depths):
            layers = product(heads, repeat=depth), product(ratios, repeat=depth)
            yield from (AutoFormerArchitecture(hidden, *layer) for layer in product(*layers))

    def sample(self, rng: np.random.Generator) -> Architecture:
        """Draw hidden size, depth, and each layer's heads and MLP ratio independently."""
        without_layers = AutoFormerArchitecture(self.genes["hidden"].sample(rng), (), ())
        return self._resized(without_layers, self.genes["depth"].sample(rng), rng)

    def _resized(
        self, arch: AutoFormerArchitecture, depth: int, rng: np.random.Generator
    ) -> AutoFormerArchitecture:
        """Change the depth: drop the last layers, or append random ones."""
        new = range(depth - len(arch.heads))
        heads = (self.genes["heads"].sample(rng) for _ in new)
        ratios = (self.genes["mlp_ratios"].sample(rng) for _ in new)
        return arch._replace(
            heads=(*arch.heads[:depth], *heads), mlp_ratios=(*arch.mlp_ratios[:depth], *ratios)
        )

    def mutate(self, arch: Architecture, rng: np.random.Generator) -> Architecture:
        """Change the hidden size, the depth, or one layer's heads or MLP ratio.

        Each of the four has the same probability. With another depth, the last layers are
        dropped or random ones are appended.
        """
        free = [name for name, choice in self.genes.items() if len(choice.options) > 1]
        if not free:
            return arch
        name = free[rng.integers(len(free))]
        if name == "hidden":
            return arch._replace(hidden=self.genes[name].other(arch.hidden, rng))
        if name == "depth":
            return self._resized(arch, self.genes[name].other(len(arch.heads), rng), rng)
        layers = list(getattr(arch, name))
        index = rng.integers(len(layers))
        layers[index] = self.genes[name].other(layers[index], rng)
        return arch._replace(**{name: tuple(layers)})

    def crossover(self, a: Architecture, b: Architecture, rng: np.random.Generator) -> Architecture:
        """Take hidden size, depth, and each layer's heads and MLP ratio from either parent.

        Layers that only one parent has are taken from it.
        """
        hidden = (a.hidden, b.hidden)[rng.integers(2)]
        depth = len((a.heads, b.heads)[rng.integers(2)])
        heads = _crossed(a.heads, b.heads, rng)[:depth]
        ratios = _crossed(a.mlp_ratios, b.mlp_ratios, rng)[:depth]
        return AutoFormerArchitecture(hidden, heads, ratios)

    def build(self, arch: Architecture, num_classes: int) -> nn.Module:
        """Build the vision transformer of these layers."""
        return VisionTransformer(
            hidden=arch.hidden,
            heads=arch.heads,
            mlp_ratios=arch.mlp_ratios,
            num_classes=num_classes,
            image_size=self.image_size,
            patch_size=self.patch_size,
            in_channels=self.in_channels,
        )

    def to_string(self, arch: Architecture) -> str:
        """Return hidden size, heads and MLP ratios as in `216-h3,4,4-m3.5,4,4`."""
        heads, ratios = (",".join(map(str, genes)) for genes in arch[1:])
        return f"{arch.hidden}-h{heads}-m{ratios}"

    def from_string(self, text: str) -> Architecture:
        """Parse hidden size, heads and MLP ratios as in `216-h3,4,4-m3.5,4,4`."""
        hidden, _, layers = text.strip().partition("-h")
        heads, _, ratios = layers.partition("-m")
        try:
            arch = AutoFormerArchitecture(
                self.genes["hidden"].parse(hidden),
                tuple(map(self.genes["heads"].parse, heads.split(","))),
                tuple(map(self.genes["mlp_ratios"].parse, ratios.split(","))),
            )
        except ValueError as error:
            raise ValueError(self._expected(text)) from error
        if not self._is_deep(arch):
            raise ValueError(self._expected(text))
        return arch

    def _is_deep(self, arch: AutoFormerArchitecture) -> bool:
        depth = len(arch.heads)
        return depth == len(arch.mlp_ratios) and depth in self.genes["depth"].options

    def from_record(self, record: Mapping[str, Any]) -> Architecture:
        """Make an architecture from a record of a benchmark, as in vit-bench/autoformer.json.

        Args:
            record: has `hidden_dim`, `depth`, and lists `num_heads` and `mlp_ratio` with one
                entry per layer; other entries are ignored.

        Raises:
            ValueError: an entry is missing, or the architecture is not in this space.

        Examples:
            >>> space = AutoFormerSpace(depths=(2, 3))
            >>> arch = space.from_record({"hidden_dim": 216, "depth": 2, "num_heads": [3, 4],
            ...                           "mlp_ratio": [3.5, 4.0], "cifar100_kd_acc": 70.1})
            >>> space.to_string(arch)
            '216-h3,4-m3.5,4'
        """
        row: dict[str, Any] = {
            name: record.get(name) for name in ("hidden_dim", "depth", "num_heads", "mlp_ratio")
        }
        hidden, depth, heads, ratios = row.values()
        try:
            arch = AutoFormerArchitecture(
                _equal(self.genes["hidden"], hidden),
                tuple(_equal(self.genes["heads"], item) for item in heads),
                tuple(_equal(self.genes["mlp_ratios"], item) for item in ratios),
            )
        except (TypeError, ValueError) as error:  # a missing list is `None`, not iterable
            raise ValueError(self._expected(row)) from error
        if not self._is_deep(arch) or depth != len(arch.heads):
            raise ValueError(self._expected(row))
        return arch

    def _expected(self, got: object) -> str:
        hidden, depths, heads, ratios = (
            " or ".join(map(str, option)) for option in self._options()
        )
        return (
            f"Expected hidden size, heads and MLP ratios like 216-h3,4,4-m3.5,4,4 with hidden size "
            f"{hidden}, {depths} layers, heads {heads} and MLP ratios {ratios}, but got {got!r}"
        )


def _equal(choice: Choice, value: Any) -> Any:
    """Return the option that equals `value`, so that 4.0 becomes 4 if that is the option."""
    return choice.options[choice.options.index(value)]


def _crossed(a: tuple[Any, ...], b: tuple[Any, ...], rng: np.random.Generator) -> tuple[Any, ...]:
    """Take each element from either tuple, and the rest from the longer one."""
    from_a = rng.random(min(len(a), len(b))) < 0.5
    mixed = (x if chosen else y for x, y, chosen in zip(a, b, from_a, strict=False))
    return *mixed, *a[len(from_a) :], *b[len(from_a) :]
