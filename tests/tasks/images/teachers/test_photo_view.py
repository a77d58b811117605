"""A teacher's own view of training images: the same crop of the original photos."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from diswot.errors import DataError, DiswotError, OptionError
from diswot.progress import Step
from diswot.tasks import Batch
from diswot.tasks.images import ImageData, load_data
from diswot.tasks.images.teachers import AsTrained, Predictions, compare_views
from diswot.training import (
    Recipe,
    check_distillation,
    parse_objective,
    prepare_distillation,
    train,
)

LARGE, SMALL = 64, 16
RECIPE = Recipe(epochs=2, batch_size=8, learning_rate=0.01)


class Tiny(nn.Module):
    """A network for images of any size that records its inputs."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.conv = nn.Conv2d(3, 4, 3, stride=2)
        self.head = nn.Linear(4, 2)
        self.given: list[Tensor] = []

    def forward(self, images: Tensor) -> Tensor:
        self.given.append(images.detach())
        logits: Tensor = self.head(torch.relu(self.conv(images)).mean(dim=(2, 3)))
        return logits


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return photos of 80×64 pixels with fine noise, and a white corner at the top left."""
    root = tmp_path_factory.mktemp("photos")
    generator = np.random.default_rng(0)
    for label, name in enumerate(("dark", "light")):
        (root / name).mkdir()
        for number in range(14):
            pixels = generator.integers(60 * label, 120 + 60 * label, (LARGE, 80, 3), np.uint8)
            pixels[:12, 8:20] = 255
            Image.fromarray(pixels).save(root / name / f"{number}.png")
    return root


@pytest.fixture(scope="module")
def data(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> ImageData:
    return load_data(folder, image_size=SMALL, root=tmp_path_factory.mktemp("kept"))


def teacher_of(data: ImageData, **settings: Any) -> AsTrained:
    settings = {"size": LARGE, "mean": (0.0,) * 3, "std": (1.0,) * 3, **settings}
    return AsTrained(Tiny(1), data.spec, **settings)


def given_to(teacher: AsTrained) -> list[Tensor]:
    return cast(Tiny, teacher.network).given


def viewed(data: ImageData, teacher: nn.Module, *, seed: int = 0, **changes: Any) -> Batch:
    """Return all training images as the student and the teacher get them."""
    batches = data.training(replace(RECIPE, **changes), teachers={"teacher": teacher})
    torch.manual_seed(seed)
    return batches(torch.arange(len(data.train)))


def photo_at(data: ImageData, place: int) -> Tensor:
    with Image.open(data.originals["train"].paths[place]) as image:
        return torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255


def test_the_teachers_view_is_cropped_from_the_photo(data: ImageData) -> None:
    """The student's crop of 16 pixels, shifted by up to 2, is one of 64 with 4 times the shift."""
    torch.manual_seed(0)
    teacher = teacher_of(data)
    batch = viewed(data, teacher)
    (view,) = batch.views["teacher"]
    plain = data.train.images.float()
    padded = F.pad(plain, (2, 2, 2, 2))
    images = batch.inputs[0] * torch.tensor(data.spec.std).view(-1, 1, 1)
    images = (images + torch.tensor(data.spec.mean).view(-1, 1, 1)) * 255
    moved = set()
    for place, image in enumerate(images):
        found = [
            (top, left, mirrored)
            for top in range(5)
            for left in range(5)
            for mirrored in (False, True)
            if torch.allclose(
                _flipped(padded[place, :, top : top + 16, left : left + 16], mirrored),
                image,
                atol=1e-2,
            )
        ]
        ((top, left, mirrored),) = found
        whole = F.pad(photo_at(data, place)[..., 8:72], (8, 8, 8, 8))
        cut = whole[:, 4 * top : 4 * top + LARGE, 4 * left : 4 * left + LARGE]
        assert torch.equal(view[place], _flipped(cut, mirrored))
        moved.add((top, left, mirrored))
    assert len(moved) > 8


def _flipped(image: Tensor, mirrored: bool) -> Tensor:
    return image.flip(-1) if mirrored else image


def test_both_views_have_the_corner_on_the_same_side(folder: Path, tmp_path: Path) -> None:
    """Crops of large images have random sizes; the white corner is where the student's is."""
    large = load_data(folder, image_size=96, root=tmp_path)
    teacher = teacher_of(large, size=128)
    batch = viewed(large, teacher, seed=3)
    (view,) = batch.views["teacher"]
    assert view.shape[2:] == (128, 128)
    student = F.interpolate(batch.inputs[0], (128, 128), mode="bilinear")
    white = [images.amin(1) > images.amin(1).quantile(0.97) for images in (student, view)]
    sides = [
        torch.stack([part[..., :64].sum((1, 2)), part[..., 64:].sum((1, 2))]) for part in white
    ]
    seen = (sides[0] - sides[0].flip(0)).abs()[0] > 200
    assert seen.sum() > 4
    assert torch.equal(sides[0].argmax(0)[seen], sides[1].argmax(0)[seen])


def test_without_augmentation_the_teacher_uses_its_own_crop(data: ImageData) -> None:
    """The whole photo is resized and cropped by the teacher's preprocessing."""
    teacher = teacher_of(data, size=48, crop=(40, 40), mean=(0.5,) * 3, std=(0.25,) * 3)
    batches = data.training(replace(RECIPE, augment="none"), teachers={"teacher": teacher})
    assert batches.fixed
    (view,) = batches(torch.tensor([3, 0])).views["teacher"]
    for place, image in zip((3, 0), view, strict=True):
        assert torch.equal(image[None], teacher.of_original(photo_at(data, place)))


def test_its_accuracy_is_measured_at_its_own_size(data: ImageData) -> None:
    teacher = teacher_of(data)
    photos = data.originals["train"]
    every = replace(data, val=data.train, originals={"train": photos, "val": photos})
    check = compare_views("it", Predictions(teacher, every), progress=lambda _: None)
    assert check is not None
    (view,) = viewed(data, teacher, augment="none").views["teacher"]
    right = teacher.network(view).argmax(1) == data.train.labels
    assert check.own[: len(right)].mean() == float(right.double().mean())


@pytest.mark.parametrize("changes", [{"mixup": 0.4}, {"cutmix": 1.0}], ids=["mixup", "cutmix"])
def test_mixed_images_are_mixed_in_both_views(data: ImageData, changes: dict[str, Any]) -> None:
    """A view with the students' pixels stays close to their images, also after mixing."""
    teacher = teacher_of(data, mean=data.spec.mean, std=data.spec.std)
    enlarged = replace(data, originals=_small_photos(data))
    batch = viewed(enlarged, teacher, augment="none", **changes)
    (view,) = batch.views["teacher"]
    nearest = F.interpolate(batch.inputs[0], LARGE, mode="bilinear", antialias=True)
    assert (view - nearest).abs().mean() < 0.05
    unmixed = viewed(enlarged, teacher, augment="none").views["teacher"][0]
    assert (view - unmixed).abs().mean() > 0.1


def _small_photos(data: ImageData) -> dict[str, Any]:
    folder = data.originals["train"].paths[0].parents[2] / "small"
    folder.mkdir(exist_ok=True)
    paths = []
    for place, pixels in enumerate(data.train.images):
        paths.append(folder / f"{place}.png")
        Image.fromarray(pixels.permute(1, 2, 0).numpy()).save(paths[-1])
    return {"train": replace(data.originals["train"], paths=tuple(paths))}


def trained(
    data: ImageData, teacher: nn.Module, recipe: Recipe = RECIPE, **given: Any
) -> tuple[nn.Module, list[str]]:
    student, notes = Tiny(0), []

    def report(step: Step) -> None:
        notes.append(step.note)

    few = replace(data, val=data.val.take(torch.arange(2)), test=data.test.take(torch.arange(2)))
    objective = parse_objective("ce + kd(T=4) + at")
    teachers = {"teacher": teacher}
    train(
        student,
        few,
        objective=objective,
        recipe=recipe,
        teachers=teachers,
        progress=report,
        **given,
    )
    return student, notes


def test_a_training_passes_its_own_view_to_the_teacher(data: ImageData) -> None:
    teacher = teacher_of(data)
    _, notes = trained(data, teacher)
    assert "the teacher gets the original photos at 64×64" in notes
    sharp = given_to(teacher)[-1]
    _, notes = trained(replace(data, teacher_view="student"), teacher)
    assert not any("photos" in note for note in notes)
    blurred = given_to(teacher)[-1]
    assert sharp.shape == blurred.shape
    assert sharp.diff(dim=3).abs().mean() > 2 * blurred.diff(dim=3).abs().mean()


def test_outputs_without_augmentation_are_computed_once(data: ImageData) -> None:
    teacher = teacher_of(data)
    _, notes = trained(data, teacher, replace(RECIPE, augment="none"))
    assert any("are kept in memory" in note for note in notes)
    given = given_to(teacher)
    once = len(given)
    trained(data, teacher, replace(RECIPE, augment="none", epochs=6))
    assert len(given) == 2 * once


def test_a_training_with_another_view_is_not_resumed(data: ImageData, tmp_path: Path) -> None:
    class Stopped(Exception):  # noqa: N818
        pass

    ended: list[Step] = []

    def stop(step: Step) -> None:
        if ended:
            raise Stopped
        ended.extend([step] * ("epoch 1" in step.note))

    whole, _ = trained(data, teacher_of(data))
    few = replace(data, val=data.val.take(torch.arange(2)), test=data.test.take(torch.arange(2)))

    def begin(found: ImageData, progress: Callable[[Step], None]) -> nn.Module:
        student = Tiny(0)
        train(
            student,
            found,
            objective=parse_objective("ce + kd(T=4) + at"),
            recipe=RECIPE,
            teachers={"teacher": teacher_of(data)},
            folder=tmp_path,
            progress=progress,
            checkpoint_minutes=0,
        )
        return student

    with pytest.raises(Stopped):
        begin(few, stop)
    with pytest.raises(DiswotError, match="teacher view is"):
        begin(replace(few, teacher_view="student"), lambda _: None)
    resumed = begin(few, lambda _: None)
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name])


def test_the_error_names_a_deleted_photo(data: ImageData) -> None:
    paths = tuple(path.with_suffix(".gone") for path in data.originals["train"].paths)
    lost = replace(data, originals={"train": replace(data.originals["train"], paths=paths)})
    with pytest.raises(DataError, match=r"\.gone can no longer be read .*--teacher-view student"):
        viewed(lost, teacher_of(data))


def test_invalid_views_are_refused(data: ImageData) -> None:
    with pytest.raises(OptionError, match="digits are not files: leave --teacher-view out"):
        prepare_distillation(None, data="digits", teacher_view="own")
    small = AsTrained(Tiny(), data.spec)
    with pytest.raises(OptionError, match="not trained on larger images"):
        viewed(replace(data, teacher_view="own"), small)
    assert not viewed(data, small).views
    assert prepare_distillation(None, data=data, teacher_view="student").data.digest == data.digest
    with pytest.raises(OptionError, match="does not apply to the task landmarks"):
        check_distillation(None, task="landmarks", teacher_view="own")
