"""Landmark datasets: splits, coordinates, data of the teachers, and augmentation."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from diswot.errors import DataError, OptionError, UnknownNameError
from diswot.tasks import find_task
from diswot.tasks.landmarks import (
    Augmentation,
    LandmarkData,
    LandmarkSplit,
    ShapeModel,
    load_landmarks,
    mirrored_face,
    row_edges,
)
from diswot.testing import check_task

FACES = Path(__file__).parents[4] / "shared" / "data"


@dataclass
class Recipe:
    """The options of a recipe that change examples."""

    augment: str = "none"
    label_smoothing: float = 0.0
    mixup: float = 0.0
    cutmix: float = 0.0


def test_outlines_of_digits_equal_those_of_their_pixels(outlines: LandmarkData) -> None:
    sizes = [outlines.size(split) for split in ("train", "val", "test")]
    assert sizes == [600, 200, 997]
    images = outlines.test.images[:, 0].float()
    small = images.unfold(1, 2, 2).unfold(2, 2, 2).mean(dim=(3, 4))  # close to the originals
    distance = (2 * row_edges(small) - outlines.test.points).abs()
    assert float(distance.mean()) < 0.5
    assert float(distance[..., 1].max()) == 0


def test_targets_are_coordinates_normalized_to_the_image(outlines: LandmarkData) -> None:
    places = torch.tensor([5, 2])
    batch = outlines.batch("val", places)
    points = outlines.val.points[places]
    assert torch.allclose(batch.targets, ((points - 8) / 16).flatten(1))
    assert batch.labels is None
    pixels = outlines.train.images.float() / 255
    expected = (outlines.val.images[places].float() / 255 - pixels.mean()) / pixels.std()
    assert torch.allclose(batch.inputs[0], expected, atol=1e-5)
    assert outlines.signature.outputs == 32
    assert outlines.signature.facts["normalizer"] == "width"


def test_the_tolerant_teacher_learns_smoothed_points(outlines: LandmarkData) -> None:
    smoothed = outlines.for_teacher("tolerant")
    hard, soft = (data.train.points.flatten(1) for data in (outlines, smoothed))
    assert torch.equal(soft, ShapeModel.fit(hard, fraction=0.9).smooth(hard))
    assert soft.var(dim=0).sum() < hard.var(dim=0).sum()
    assert torch.equal(smoothed.val.points, outlines.val.points)
    assert smoothed.digest != outlines.digest == outlines.for_teacher("tough").digest


def test_an_unknown_teacher_is_refused(outlines: LandmarkData) -> None:
    with pytest.raises(OptionError, match="tough, tolerant, but got 'kind'"):
        outlines.for_teacher("kind")


@pytest.mark.parametrize("name", ["label_smoothing", "mixup", "cutmix"])
def test_augmentation_for_classification_is_refused(outlines: LandmarkData, name: str) -> None:
    with pytest.raises(OptionError, match=f"no classes for {name}"):
        outlines.training(Recipe(**{name: 0.1}))  # type: ignore[arg-type]


def spots(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return wide images with one bright spot each, and its position."""
    places = torch.linspace(-0.2, 0.2, count)[:, None].expand(count, 2)
    rows, columns = (torch.arange(size) + 0.5 for size in (40, 60))
    across = (columns / 60 - 0.5 - places[:, :1])[:, None] * 60
    down = (rows / 40 - 0.5 - places[:, 1:])[:, :, None] * 40
    return (-(across**2 + down**2) / 8).exp()[:, None], places


def centers(images: torch.Tensor) -> torch.Tensor:
    """Return the centers of mass of images, normalized."""
    mass = images[:, 0] / images[:, 0].sum(dim=(1, 2), keepdim=True)
    rows, columns = ((torch.arange(size) + 0.5) / size - 0.5 for size in mass.shape[1:])
    return torch.stack([mass.sum(1) @ columns, mass.sum(2) @ rows], dim=1)


@pytest.mark.parametrize("strength", [0, 1, 2])
@pytest.mark.parametrize("mirror", [None, (0,)])
def test_points_move_with_their_image(strength: int, mirror: tuple[int, ...] | None) -> None:
    images, places = spots(30)
    torch.manual_seed(0)
    changed, moved = Augmentation(mirror=mirror, strength=strength)(images, places)
    assert torch.allclose(centers(changed), moved, atol=2e-3)
    assert torch.allclose(moved, places, atol=1e-6) is (strength == 0 and mirror is None)


def test_points_of_outlines_stay_in_their_rows(outlines: LandmarkData) -> None:
    torch.manual_seed(0)
    batch = outlines.training(Recipe("strong"))(torch.arange(50))
    before = outlines.batch("train", torch.arange(50)).targets
    assert torch.allclose(batch.targets[:, 1::2], before[:, 1::2])
    assert not torch.allclose(batch.targets[:, ::2], before[:, ::2])


def test_a_mirrored_outline_equals_that_of_the_mirrored_image(outlines: LandmarkData) -> None:
    assert outlines.mirror is not None
    mirrored = row_edges(outlines.test.images[:, 0].flip(2).float())
    swapped = row_edges(outlines.test.images[:, 0].float())
    order = [*range(16, 32), *range(16)]
    swapped = swapped[:, order] * torch.tensor([-1.0, 1]) + torch.tensor([16.0, 0])
    assert torch.allclose(mirrored, swapped, atol=1e-4)
    assert outlines.mirror == tuple(place // 2 for place in order[::2])


def test_mirroring_a_face_twice_changes_nothing() -> None:
    mirror = mirrored_face()
    assert [mirror[place] for place in mirror] == list(range(68))
    assert (
        sum(place == mirror[place] for place in range(68)) == 10
    )  # on the center line of the face


def test_flips_need_pairs_of_mirrored_points(outlines: LandmarkData) -> None:
    task = find_task("landmarks")
    unknown = replace(outlines, mirror=None)
    assert task.prepared(outlines, {"flips": None}) is outlines
    assert task.prepared(outlines, {"flips": False}).training(Recipe("standard")).fixed is False
    with pytest.raises(OptionError, match="cannot be flipped"):
        task.prepared(unknown, {"flips": True})


def test_a_network_no_better_than_the_mean_is_near_chance(outlines: LandmarkData) -> None:
    (metric,) = outlines.metrics
    mean = metric.of_mean_shape(outlines, "test")  # type: ignore[attr-defined]
    assert metric.is_near_chance(mean, outlines, "test")
    assert metric.is_near_chance(mean - 1e-3 * torch.randn(len(mean)).double(), outlines, "test")
    assert not metric.is_near_chance(0.9 * mean, outlines, "test")
    found = metric.summarize(mean, outlines, "test")
    assert str(found).startswith(f"{found.value:.4g} % of the image width [")


def test_intervals_of_differences_resample_whole_persons(outlines: LandmarkData) -> None:
    (metric,) = outlines.metrics
    grouped = replace(outlines, test=replace(outlines.test, persons=torch.arange(997) // 10))
    each = torch.randn(100).double().repeat_interleave(10)[:997]
    widths = [
        found.high - found.low
        for found in (
            metric.difference(each, torch.zeros(997), data, "test") for data in (outlines, grouped)
        )
    ]
    assert widths[1] > 2 * widths[0]


@pytest.mark.skipif(not (FACES / "faces-68").is_dir(), reason="needs ../shared/data/faces-68")
def test_the_faces_68_data_is_read() -> None:
    data = load_landmarks("faces-68", root=FACES)
    check_task(data)
    assert data.digest == load_landmarks(FACES / "faces-68" / "faces.npz").digest
    assert (data.num_points, data.normalizer) == (68, "inter-ocular")
    persons = data.train.persons, data.val.persons
    assert persons[0] is not None
    assert persons[1] is not None
    assert not np.intersect1d(persons[0].numpy(), persons[1].numpy()).size
    assert (data.size("train") + data.size("val"), data.size("test")) == (1560, 522)


def test_the_faces_are_searched_below_the_data_root(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"faces-68: name the root that has it \(--data-root\)"):
        load_landmarks("faces-68", root=tmp_path)


def made() -> LandmarkData:
    split = LandmarkSplit(torch.zeros(3, 1, 8, 8, dtype=torch.uint8), torch.rand(3, 2, 2))
    return LandmarkData("made", split, split, split, "box")


def nothing() -> None:
    """Return an object that is not a dataset."""


def test_a_user_callable_provides_the_data() -> None:
    assert load_landmarks(f"{__name__}:made").summary().startswith("made: 3 train")


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        ("digit-outlins", {}, "did you mean 'digit-outlines'"),
        ("digit-outlines", {"normalizer": "ear"}, "normalizer 'ear': did you mean 'inter-ocular'"),
        ("digit-outlines", {"normalizer": "inter-ocular"}, "Expected 68 landmarks"),
        ("digit-outlines", {"image_size": 32}, "images of one size"),
        ("digit-outlines", {"image_size": 4}, "from 8 to 4,096, but got 4"),
        ("digit-outlines", {"crop": -1.0}, "from 0 to 10, but got -1"),
        (3, {}, "but got int"),
        (f"{__name__}:nothing", {}, "LandmarkData, but got NoneType"),
        (f"{__name__}:nobody", {}, "nobody"),
        ("no/folder", {}, "there is no no/folder"),
    ],
)
def test_invalid_data_is_refused(data: object, options: dict[str, Any], message: str) -> None:
    with pytest.raises((DataError, OptionError, UnknownNameError), match=message) as error:
        find_task("landmarks").load(data, **options)
    assert "\n" not in str(error.value)
