"""Signatures of networks in tests."""

from search_spaces import Signature, TensorSpec


def of_images(*shape: int, outputs: int = 10) -> Signature:
    """Return the signature of a network that takes images of (channels, height, width)."""
    return Signature((TensorSpec("images", shape),), outputs)


TEXTS = Signature(
    (
        TensorSpec("input_ids", (32,), "int64", high=500),
        TensorSpec("attention_mask", (32,), "bool"),
    ),
    10,
)
"""What encoders of texts take."""


def of_space(name: str, *, size: int = 32) -> Signature:
    """Return the signature of the networks of a built-in space."""
    if name.startswith(("text-encoder", "autodistil", "flexibert", "gated-convolution")):
        return TEXTS
    return of_images(3, size, size)
