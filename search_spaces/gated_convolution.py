"""Small gated convolutional networks of source code (STip)."""

from collections.abc import Sequence

from torch import nn

from search_spaces._choice_space import Choice, ChoiceSpace
from search_spaces._contract import Architecture
from search_spaces._encoder import tokens_of
from search_spaces._gated_convolution import GatedConvolutionNetwork
from search_spaces._signature import Signature


class GatedConvolutionSpace(ChoiceSpace):
    """Gated convolutions with adaptive fusion for token sequences, such as source code.

    Source: AF-STip (arXiv 2412.11175) for the parts of the networks; the choices are ours. An
    architecture is written `width=16,kernels=3+5,slots=8,depth=1`: channels, kernel sizes of
    each gated convolution, slots of the external memory (0 for no fusion), and number of gated
    convolutions. Embeddings have the size of the data's vocabulary, and count as parameters.

    Args:
        width: options for the number of channels.
        kernels: options for the kernel sizes, odd numbers with `+` between.
        slots: options for the number of slots.
        depth: options for the number of gated convolutions.

    Raises:
        ValueError: there are no options, or two are equal.

    Examples:
        >>> from search_spaces import Signature, TensorSpec
        >>> space = GatedConvolutionSpace()
        >>> space.size
        240
        >>> arch = space.from_string("width=16,kernels=3+5,slots=8,depth=1")
        >>> signature = Signature((TensorSpec("input_ids", (64,), "int64", high=300),
        ...                        TensorSpec("attention_mask", (64,), "bool")), 5)
        >>> network = space.network(arch, signature)
        >>> network(*signature.example(2)).shape, sum(p.numel() for p in network.parameters())
        (torch.Size([2, 5]), 12149)
    """

    def __init__(
        self,
        *,
        width: Sequence[int] = (8, 12, 16, 24, 32),
        kernels: Sequence[str] = ("3", "5", "3+5", "3+5+7"),
        slots: Sequence[int] = (0, 4, 8, 16),
        depth: Sequence[int] = (1, 2, 3),
    ) -> None:
        super().__init__(
            {
                "width": Choice(*width),
                "kernels": Choice(*kernels),
                "slots": Choice(*slots),
                "depth": Choice(*depth),
            }
        )

    def network(self, arch: Architecture, signature: Signature) -> nn.Module:
        """Build the network for a vocabulary and a number of classes.

        Raises:
            ValueError: the inputs are not token ids and a mask.
        """
        return GatedConvolutionNetwork(
            vocabulary=tokens_of(signature)[0],
            outputs=signature.outputs,
            width=arch.width,
            kernels=[int(kernel) for kernel in arch.kernels.split("+")],
            slots=arch.slots,
            depth=arch.depth,
        )
