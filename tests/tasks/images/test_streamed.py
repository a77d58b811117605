"""Streamed folders of images, which are decoded whenever an image is needed."""

import multiprocessing
import os
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from diswot.errors import DataError, OptionError
from diswot.progress import Step
from diswot.search import check_search
from diswot.tasks import SPLITS, Batch, find_task
from diswot.tasks.images import ImageData, load_data
from diswot.tasks.images.teachers import AsTrained
from diswot.testing import check_task
from diswot.training import Recipe, check_distillation
from tests.tasks.images.streaming import (
    HIGH,
    RECIPE,
    WIDE,
    Small,
    streamed,
    write_photos,
)

ROOT = Path(__file__).parents[3]
LARGE = 96
"""Height from which parts of random sizes are cut out."""


def epoch_of(data: ImageData, *, seed: int = 5, skip: int = 0, **changes: Any) -> list[Batch]:
    """Return the batches of an epoch, or of its remainder."""
    teachers = changes.pop("teachers", {})
    found = data.training(replace(RECIPE, mixup=0.0, **changes), teachers=teachers)
    shares = [(torch.arange(4 * i, 4 * i + 4), 100 + i) for i in range(4)]
    return list(found.epoch(shares[skip:], seed=seed))


def images_of(batches: list[Batch]) -> Tensor:
    return torch.cat([batch.inputs[0] for batch in batches])


def test_images_equal_those_of_a_decoded_folder(
    photos: Path, streamed_root: Path, data: ImageData
) -> None:
    decoded = load_data(photos, root=streamed_root, image_size=16)
    assert (data.spec, data.notes, data.classes) == (decoded.spec, decoded.notes, decoded.classes)
    for split in SPLITS:
        places = torch.arange(data.size(split)).flip(0)
        one, other = (each.batch(split, places) for each in (data, decoded))
        assert torch.equal(one.inputs[0], other.inputs[0])
        assert torch.equal(one.targets, other.targets)
    assert data.digest != decoded.digest  # students are trained on other crops of the photos


def test_streamed_data_follow_the_contract_of_a_task(data: ImageData) -> None:
    check_task(data)


def test_damaged_photos_are_left_out_and_duplicates_reported(
    tmp_path: Path, streamed_root: Path
) -> None:
    photos = write_photos(tmp_path / "photos", count=20)
    (photos / "dark" / "07.png").write_bytes(b"no image")
    (photos / "light" / "00.png").write_bytes((photos / "dark" / "00.png").read_bytes())
    data, decoded = (
        streamed(photos, streamed_root),
        load_data(photos, root=streamed_root, image_size=16),
    )
    assert data.notes == decoded.notes
    assert "dark/07.png (it is not an image)" in " ".join(data.notes)
    assert "equal images in different classes: 1" in " ".join(data.notes)
    assert len(data.train) == len(decoded.train)
    places = torch.arange(len(data.train))
    assert torch.equal(data.train.take(places).images, decoded.train.images)


def choice(photos: Path, streamed_root: Path, **options: Any) -> tuple[ImageData, str]:
    """Load photos, and return the message that says how they are read."""
    reported: list[Step] = []
    data = load_data(photos, root=streamed_root, image_size=16, progress=reported.append, **options)
    (expected_message,) = [step.note for step in reported if "GiB" in step.note]
    return data, expected_message


def test_streaming_is_chosen_by_size_and_reported(photos: Path, tmp_path: Path) -> None:
    size = 48 * 3 * 16 * 16 / 2**30
    data, expected_message = choice(photos, tmp_path, stream_above=0.99 * size)
    assert expected_message.startswith("streamed from their files: 3.43e-05 GiB when decoded")
    assert data.train.images.device.type == "meta"
    assert data.source is not None
    assert data.source.options == {"image_size": 16, "stream_above": 0.99 * size}
    data, expected_message = choice(photos, tmp_path, stream_above=size)
    assert expected_message.startswith("decoded into a memory-mapped file: 3.43e-05 GiB")
    assert data.train.images.device.type == "cpu"
    assert "above 8, --stream-above" in choice(photos, tmp_path)[1]
    assert choice(photos, tmp_path, stream_above=0)[1].startswith("streamed")


def test_photos_are_checked_once_until_a_file_changes(tmp_path: Path) -> None:
    photos, reported = write_photos(tmp_path / "photos", count=8), list[Step]()
    first = streamed(photos, tmp_path)
    again = streamed(photos, tmp_path, progress=reported.append)
    assert any("checked before, in" in step.note for step in reported)
    assert not any(step.stage in ("look", "check") for step in reported)
    assert (again.digest, again.notes) == (first.digest, first.notes)
    os.utime(photos / "dark" / "00.png", (1, 1))
    assert streamed(photos, tmp_path).digest == first.digest  # checked again, and equal
    (photos / "dark" / "00.png").write_bytes((photos / "dark" / "01.png").read_bytes())
    assert streamed(photos, tmp_path).digest != first.digest


def test_a_damaged_index_is_refused(photos: Path, tmp_path: Path) -> None:
    streamed(photos, tmp_path)
    (places,) = tmp_path.rglob("places.npy")
    places.write_bytes(places.read_bytes()[:-16])
    with pytest.raises(DataError, match=r"is damaged .*: remove it, and it is made again"):
        streamed(photos, tmp_path)


@pytest.mark.processes
@pytest.mark.parametrize("augment", ["none", "standard", "strong"])
def test_loader_workers_do_not_change_the_batches(data: ImageData, augment: str) -> None:
    found = [
        images_of(epoch_of(replace(data, loader_workers=workers), augment=augment))
        for workers in (0, 2)
    ]
    assert torch.equal(*found)
    plain = images_of([data.batch("train", torch.arange(16))])
    assert torch.equal(found[0], plain) is (augment == "none")
    assert multiprocessing.active_children() == []


def test_an_example_depends_only_on_seed_and_index(data: ImageData) -> None:
    data = replace(data, loader_workers=0)
    whole = images_of(epoch_of(data))
    assert torch.equal(images_of(epoch_of(data, skip=2)), whole[8:])  # the rest of an epoch
    batches = data.training(replace(RECIPE, mixup=0.0))
    (alone,) = batches.epoch([(torch.tensor([6]), 0)], seed=5)
    torch.testing.assert_close(alone.inputs[0][0], whole[6])
    assert not torch.equal(images_of(epoch_of(data, seed=6)), whole)


@pytest.mark.processes
def test_random_numbers_after_a_batch_depend_on_its_seed(data: ImageData) -> None:
    batches = replace(data, loader_workers=1).training(replace(RECIPE, mixup=0.0))
    drawn = [torch.rand(()) for _ in batches.epoch([(torch.arange(2), 7)] * 2, seed=0)]
    torch.manual_seed(7)
    assert drawn == [torch.rand(())] * 2


def seen_pixels(images: Tensor, of: ImageData | AsTrained) -> Tensor:
    """Return red and green of images, which encode the position of a pixel in its photo."""
    mean, std = (of.spec.mean, of.spec.std) if isinstance(of, ImageData) else (of.mean, of.std)
    pixels = images * torch.tensor(std).view(-1, 1, 1) + torch.tensor(mean).view(-1, 1, 1)
    return pixels[:, :2]


@pytest.mark.processes
@pytest.mark.parametrize("size", [16, LARGE])
def test_teacher_and_student_get_the_same_crop(
    photos: Path, streamed_root: Path, size: int
) -> None:
    data = streamed(photos, streamed_root, image_size=size)
    teacher = AsTrained(Small(1), data.spec, size=2 * size)
    for workers in (0, 1):
        batches = epoch_of(
            replace(data, loader_workers=workers),
            augment="standard",
            teachers={"teacher": teacher},
        )
        seen = torch.cat([batch.views["teacher"][0] for batch in batches])
        assert seen.shape == (16, 3, 2 * size, 2 * size)
        student, own = seen_pixels(images_of(batches), data), seen_pixels(seen, teacher)
        difference = (student - F.avg_pool2d(own, 2)).abs().mean(dim=(1, 2, 3))
        assert difference.max() < 0.02
        assert (student - F.avg_pool2d(own, 2).flip(-1)).abs().mean() > 0.1
        mirrored = student[:, 0, 8, 4] > student[:, 0, 8, -4]
        assert 0 < mirrored.sum() < 16


def test_large_images_are_cropped_from_the_whole_photo(photos: Path, streamed_root: Path) -> None:
    """Crops also contain the sides, which a center crop would remove."""
    data = replace(streamed(photos, streamed_root, image_size=LARGE), loader_workers=0)
    reds = seen_pixels(images_of(epoch_of(data, augment="standard")), data)[:, 0].flatten(1)
    widths = reds.amax(1) - reds.amin(1)
    assert widths.min() < 0.65 < 0.75 < widths.max()
    edge = 0.5 - 0.5 * HIGH / WIDE
    assert reds.min() < edge - 0.05
    assert reds.max() > 1 - edge + 0.05


def test_without_augmentation_views_are_whole_photos(data: ImageData) -> None:
    teacher = AsTrained(Small(1), data.spec, size=24)
    (first, *_) = epoch_of(data, augment="none", teachers={"teacher": teacher})
    photo = next(data.originals["train"].read([0], least=48))
    assert torch.equal(first.views["teacher"][0][:1], teacher.of_original(photo))


def test_inapplicable_options_are_refused() -> None:
    with pytest.raises(OptionError, match="--loader-workers does not apply to the task text"):
        check_distillation(None, task="text", loss="alone", loader_workers=1)
    with pytest.raises(OptionError, match="--stream-above does not apply to the task landmarks"):
        check_search(task="landmarks", stream_above=1.0)
    with pytest.raises(OptionError, match="Expected stream above to be a number of at least 0"):
        load_data("digits", stream_above=-1)


def test_every_batch_of_an_epoch_is_drawn_with_its_seed() -> None:
    for name in ("images", "landmarks", "text"):
        task = find_task(name)
        batches = task.load(task.data).training(cast(Any, Recipe(1, augment="strong")))
        shares = [(torch.arange(3), 4), (torch.arange(3, 6), 5)]
        found = [(batch, torch.rand(())) for batch in islice(batches.epoch(shares, seed=0), 2)]
        for (places, seed), (batch, after) in zip(shares, found, strict=True):
            torch.manual_seed(seed)
            assert torch.equal(batches(places).inputs[0], batch.inputs[0])
            assert torch.equal(torch.rand(()), after)
