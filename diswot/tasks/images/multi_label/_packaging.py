"""The config and templates of exported networks for multi-label images."""

from dataclasses import replace

from diswot.tasks._packaging import Packaging
from diswot.tasks._task import Dataset
from diswot.tasks.images._packaging import packaging
from diswot.tasks.images.multi_label._prediction import THRESHOLD
from search_spaces import Signature


def multi_label_packaging(signature: Signature, dataset: Dataset | None) -> Packaging:
    """Return config, templates and metadata of an exported network.

    Args:
        signature: signature of the student.
        dataset: data on which it was trained, if known.

    Raises:
        ExportError: the signature is not that of a network for images.
    """
    result = packaging(signature, dataset)
    return replace(
        result,
        config={**result.config, "threshold": THRESHOLD},
        predicts="opens a photo and prints its labels",
    )
