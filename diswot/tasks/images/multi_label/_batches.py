"""Training batches of multi-label images."""

from torch import Tensor

from diswot.tasks.images._mixing import Mixed, mix
from diswot.tasks.images._training_batches import ImageBatches


def smoothed_labels(labels: Tensor, smoothing: float) -> Tensor:
    """Return targets (B, labels) that are moved toward 1/2 by label smoothing.

    Examples:
        >>> import torch
        >>> smoothed_labels(torch.tensor([[1, 0]]), 0.25)
        tensor([[0.8750, 0.1250]])
    """
    return labels.float() * (1 - smoothing) + smoothing / 2


class MultiLabelBatches(ImageBatches):
    """Training batches of images with any number of labels each; `Batch.labels` is `None`."""

    def _mixed(self, images: Tensor, indices: Tensor) -> Mixed:
        labels = self._data.train.labels[indices].to(self._device)
        targets = smoothed_labels(labels, self._changes.label_smoothing)
        return mix(images, targets, None, self._changes)
