"""Datasets of multi-label images."""

from dataclasses import dataclass

from torch import Tensor

from diswot.tasks._batch import Batch
from diswot.tasks._class_balance import no_single_class
from diswot.tasks._examples import SPLITS, SplitName
from diswot.tasks._task import Task
from diswot.tasks._tasks import find_task
from diswot.tasks.images._classes import LISTED
from diswot.tasks.images._image_data import ImageData
from diswot.tasks.images.multi_label._batches import MultiLabelBatches


@dataclass(frozen=True, eq=False)
class MultiLabelData(ImageData):
    """Images with any number of labels each, in three splits.

    The fields are those of [`ImageData`][diswot.tasks.images.ImageData], but the labels of a
    split have the shape (n, labels): 1 where an image has a label, else 0. An image may have no
    label. Targets of batches are of the same form, and `Batch.labels` is `None`.
    """

    batches_in_memory = MultiLabelBatches

    @property
    def task(self) -> Task:
        """The task `multi-label`."""
        return find_task("multi-label")

    def class_labels(self, split: SplitName) -> Tensor:  # noqa: ARG002
        """Raise, because images do not have exactly one class.

        Raises:
            OptionError: always.
        """
        raise no_single_class(self)

    def batch(self, split: SplitName, indices: Tensor, *, device: str = "cpu") -> Batch:
        """Return normalized images (B, C, H, W) of a split, with targets (B, labels)."""
        examples = self.split(split).take(indices)
        images = self.normalize(examples.images.to(device))
        return Batch((images,), examples.labels.float().to(device), None, indices.to(device))

    def class_summary(self) -> tuple[str, ...]:
        """Return lines with the labels and their numbers of images in each split."""
        columns = [self.split(split).labels.sum(dim=0).tolist() for split in SPLITS]
        names = self.classes or tuple(map(str, range(self.num_classes)))
        rows = [*zip(names, *columns, strict=True)][:LISTED]
        listed = ", ".join(f"{name} {train:,}/{val:,}/{test:,}" for name, train, val, test in rows)
        more = f" and {len(names) - LISTED:,} more" if len(names) > LISTED else ""
        empty = sum(int((self.split(split).labels.sum(dim=1) == 0).sum()) for split in SPLITS)
        note = [f"images without labels: {empty:,}"] * bool(empty)
        return (f"{len(names):,} labels, images in train/val/test: {listed}{more}", *note)
