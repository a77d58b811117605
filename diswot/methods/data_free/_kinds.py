"""Find the kind of pseudo-samples that networks with a signature take."""

from diswot.errors import NetworkError
from diswot.methods.data_free._images import ImageInputs
from diswot.methods.data_free._inputs import PseudoInputs
from diswot.methods.data_free._tokens import TokenInputs
from search_spaces import Signature


def pseudo_inputs(signature: Signature) -> PseudoInputs:
    """Return how pseudo-samples for networks with a signature are made.

    Args:
        signature: inputs of the networks: an image, or token ids and a mask.

    Raises:
        NetworkError: the inputs are something else.

    Examples:
        >>> from search_spaces import TensorSpec
        >>> pseudo_inputs(Signature((TensorSpec("images", (1, 8, 8)),), 10))
        ImageInputs(shape=(1, 8, 8))
    """
    first, *others = signature.inputs
    sizes = [size for size in first.shape if size is not None]
    if not others and first.dtype == "float32" and len(first.shape) == len(sizes) == 3:
        return ImageInputs((sizes[0], sizes[1], sizes[2]))
    of_tokens = first.dtype == "int64" and first.high is not None and len(sizes) == 1
    if of_tokens and [other.dtype for other in others] == ["bool"]:
        return TokenInputs(first.high or 0, sizes[0])
    raise NetworkError(
        f"Expected networks of one image (channels, height, width), or of token ids and a mask, "
        f"but got {signature.describe()}: the method data-free makes no others"
    )
