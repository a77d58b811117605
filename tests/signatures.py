"""Signatures of networks of the tests."""

from search_spaces import Signature, TensorSpec


def of_images(*shape: int, outputs: int = 10) -> Signature:
    """Return the signature of a network that takes images of (channels, height, width)."""
    return Signature((TensorSpec("images", shape),), outputs)
