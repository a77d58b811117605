"""A teacher's own view of training images: from the original photos, at its own size."""

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from diswot.errors import DataError, OptionError, first_line
from diswot.tasks.images._augmentation import Cut
from diswot.tasks.images._labeled_images import LabeledImages
from diswot.tasks.images._originals import Originals
from diswot.tasks.images.teachers._as_trained import AsTrained


@dataclass(frozen=True)
class PhotoView:
    """Provides training images for a teacher from the original photos.

    Attributes:
        teacher: the teacher, for its size and normalization.
        originals: files of the training photos.
    """

    teacher: AsTrained
    originals: Originals

    @property
    def text(self) -> str:
        """A description of the view."""
        height, width = self.teacher.crop
        return f"the original photos at {height}×{width}"

    @property
    def whole(self) -> tuple[int, int]:
        """Height and width of the uncropped images, of which the view is the center crop."""
        return self.teacher.size

    def __call__(self, indices: Tensor, cut: Cut | None) -> Tensor:
        """Return the network's input for the images at `indices` (B,), on the CPU.

        Without `cut` photos are preprocessed as for the teacher's evaluation; with it they are
        cropped and flipped like the student's images.

        Raises:
            DataError: a photo was removed or damaged after the data were loaded.
        """
        positions = indices.tolist()
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            if cut is None:
                return torch.cat(list(pool.map(self._whole_photo, positions)))
            drawn = zip(positions, cut.boxes.tolist(), cut.mirrored.tolist(), strict=True)
            return torch.cat(list(pool.map(lambda item: self._part(*item), drawn)))

    def _photo(self, index: int) -> Tensor:
        try:
            (photo,) = self.originals.read([index], least=2 * max(self.teacher.crop))
        except Exception as error:  # a damaged image can raise anything
            raise DataError(
                f"the original photo {self.originals.paths[index]} can no longer be read "
                f"({first_line(error)}): restore it, or train with --teacher-view student"
            ) from error
        return photo

    @torch.no_grad()
    def _whole_photo(self, index: int) -> Tensor:
        return self.teacher.of_original(self._photo(index))

    @torch.no_grad()
    def _part(self, index: int, box: list[float], mirrored: bool) -> Tensor:
        part = cut_out(self._photo(index), box, self.teacher.images.shape[1:])
        return self.teacher.of_part(part.flip(-1) if mirrored else part)


def cut_out(photo: Tensor, box: list[float], shape: tuple[int, ...]) -> Tensor:
    """Return the crop of a photo that corresponds to a box of the student's image.

    Args:
        photo: photo (C, height, width).
        box: top, left, bottom and right edges, as shares of the student's uncropped image;
            outside of it the crop is padded with black.
        shape: height and width of the student's image, which is a center crop of the photo.
    """
    height, width = photo.shape[1:]
    # The student's uncropped image is the largest center crop with its aspect ratio.
    scale = min(height / shape[0], width / shape[1])
    tall, wide = (max(1, round(scale * side)) for side in shape)
    above, before = (height - tall) // 2, (width - wide) // 2
    middle = photo[:, above : above + tall, before : before + wide]
    top, left, bottom, right = (
        round(share * side) for share, side in zip(box, (tall, wide, tall, wide), strict=True)
    )
    bottom, right = max(bottom, top + 1), max(right, left + 1)
    edges = (-left, right - wide, -top, bottom - tall)  # positive: padding, negative: cropping
    return F.pad(middle, edges)


def photo_views(data: LabeledImages, teachers: Mapping[str, nn.Module]) -> dict[str, PhotoView]:
    """Return teacher → view, for teachers that were trained on larger images than the data has.

    Args:
        data: data; without image files there are no views.
        teachers: name → network of the teacher.

    Raises:
        OptionError: `teacher_view` is `own`, but no teacher or no photos allow it.
    """
    if data.teacher_view == "student":
        return {}
    originals = data.originals.get("train")
    results = {
        name: teacher
        for name, teacher in teachers.items()
        if isinstance(teacher, AsTrained) and teacher.enlarges
    }
    if data.teacher_view == "own" and teachers and not (results and originals):
        why = "it is not trained on larger images" if originals else "its photos are not files"
        who = next(iter(teachers)) if originals else data.name
        raise OptionError(
            f"Expected a teacher with its own view of the photos, but {who} has none "
            f"({why}): leave --teacher-view out"
        )
    return {} if originals is None else {n: PhotoView(t, originals) for n, t in results.items()}
