"""Images enlarged to the size that the networks of a ground truth were trained on."""

from dataclasses import fields, replace

from torch import Tensor
from torch.nn import functional as F

from diswot.tasks._batch import Batch
from diswot.tasks._examples import SplitName
from diswot.tasks.images._image_data import ImageData


class EnlargedImages(ImageData):
    """Image data whose batches are resized when they are read, for scores."""

    @classmethod
    def of(cls, data: ImageData, side: int) -> "EnlargedImages":
        """Return data whose batches have images of `side` × `side` pixels."""
        values = {field.name: getattr(data, field.name) for field in fields(data)}
        shape = (data.shape[0], side, side)
        return cls(**{**values, "spec": replace(data.spec, shape=shape), "source": None})

    def batch(self, split: SplitName, indices: Tensor, *, device: str = "cpu") -> Batch:
        """Return normalized and resized images of a split, with their classes."""
        result = super().batch(split, indices, device=device)
        (images,) = result.inputs
        size = self.shape[1:]
        larger = F.interpolate(images, size=size, mode="bilinear", align_corners=False)
        return replace(result, inputs=(larger,))
