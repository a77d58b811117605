"""Small image encoders of two kinds: residual networks and vision transformers."""

from collections.abc import Sequence

from torch import nn

from search_spaces._choice_space import Choice, ChoiceSpace
from search_spaces._contract import Architecture
from search_spaces._signature import Signature
from search_spaces.resnet_depth import CifarResNet
from search_spaces.vision_transformer import VisionTransformer

RESNET = "resnet"
SMALL = 16
"""Largest height of images for which the stem of residual networks has stride 1, else 2."""

MLP_RATIO = 2


class VisionTowerSpace(ChoiceSpace):
    """Residual networks and vision transformers of a few layers, for embeddings of images.

    Fields: `body`, which is `resnet`, or `vit4` or `vit8` for a transformer with 4×4 or 8×8
    patches per image; `width`, the channels of a transformer's tokens or of the second of the
    three stages of a residual network, which have width/2, width and 2·width channels;
    `depth`, the layers of a transformer or the blocks per stage; and `heads` of 64 channels,
    which only transformers have.

    Args:
        bodies: options of `body`.
        widths: options of `width`.
        depths: options of `depth`.
        heads: options of `heads`.

    Raises:
        ValueError: there are no options, or options are invalid.

    Examples:
        >>> import torch
        >>> from search_spaces import Signature, TensorSpec
        >>> space = VisionTowerSpace()
        >>> arch = space.from_string("body=vit4,width=32,depth=1,heads=2")
        >>> network = space.network(arch, Signature((TensorSpec("images", (3, 32, 32)),), 64))
        >>> network(torch.zeros(2, 3, 32, 32)).shape
        torch.Size([2, 64])
    """

    def __init__(
        self,
        *,
        bodies: Sequence[str] = (RESNET, "vit4", "vit8"),
        widths: Sequence[int] = (16, 32, 48, 64),
        depths: Sequence[int] = (1, 2, 3),
        heads: Sequence[int] = (1, 2),
    ) -> None:
        unknown = [body for body in bodies if body != RESNET and not _patches(body)]
        if unknown or min(*depths, *heads) < 1 or any(width < 2 or width % 2 for width in widths):
            raise ValueError(
                "Expected bodies such as resnet and vit4, even widths, and depths and heads of at "
                f"least 1, but got {bodies}, {widths}, {depths} and {heads}"
            )
        super().__init__(
            {
                "body": Choice(*bodies),
                "width": Choice(*widths),
                "depth": Choice(*depths),
                "heads": Choice(*heads),
            }
        )

    def effective(self, arch: Architecture) -> Architecture:
        """Return a residual network with the first option of `heads`, which it does not have."""
        if arch.body != RESNET:
            return arch
        return self.architecture(arch.body, arch.width, arch.depth, self.fields["heads"].options[0])

    def canonical_key(self, arch: Architecture) -> str:
        """Return the name of the architecture without parts that have no effect."""
        return self.to_string(self.effective(arch))

    def network(self, arch: Architecture, signature: Signature) -> nn.Module:
        """Build the network for square images.

        Args:
            arch: an architecture of the space.
            signature: shapes of the input (images of one size) and outputs.

        Raises:
            ValueError: the input is not a square image, or cannot be cut into the patches.
        """
        shape = signature.inputs[0].shape
        if len(signature.inputs) != 1 or len(shape) != 3 or None in shape or shape[1] != shape[2]:
            raise ValueError(f"Expected square images of one size, but got {signature.describe()}")
        channels, side = int(shape[0] or 0), int(shape[1] or 0)
        if arch.body == RESNET:
            half = arch.width // 2
            return CifarResNet(
                (arch.depth,) * 3,
                widths=(half, half, arch.width, 2 * arch.width),
                num_classes=signature.outputs,
                in_channels=channels,
                stem_stride=2 if side > SMALL else 1,
            )
        patches = _patches(arch.body)
        if side % patches:
            raise ValueError(
                f"Expected images that can be cut into {patches}×{patches} patches, but they have "
                f"{side}×{side} pixels"
            )
        return VisionTransformer(
            hidden=arch.width,
            heads=[arch.heads] * arch.depth,
            mlp_ratios=[MLP_RATIO] * arch.depth,
            num_classes=signature.outputs,
            image_size=side,
            patch_size=side // patches,
            in_channels=channels,
        )


def _patches(body: str) -> int:
    """Return the patches per side of a transformer such as `vit8`; 0 for other texts."""
    number = body.removeprefix("vit")
    return int(number) if number != body and number.isdecimal() else 0
