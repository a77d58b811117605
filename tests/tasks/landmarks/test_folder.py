"""Folders of images with landmark files: supported layouts and one-line errors."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from diswot.errors import DataError, OptionError
from diswot.tasks.landmarks import LandmarkData, load_landmarks
from tests.tasks.landmarks.conftest import Made, dots, write_pts


def check_dots(data: LandmarkData) -> None:
    """Check that the pixels at all points are white."""
    for split in (data.train, data.val, data.test):
        columns, rows = split.points.long().unbind(dim=2)
        images = torch.arange(len(split))[:, None]
        assert (split.images[images, 0, rows, columns] == 255).all()


def test_images_with_pts_files_are_read(pts_folder: Made) -> None:
    data = load_landmarks(pts_folder())
    check_dots(data)
    assert [data.size(split) for split in ("train", "val", "test")] == [14, 2, 4]
    assert (data.name, data.shape, data.normalizer, data.mirror) == (
        "dots",
        (1, 24, 24),
        "box",
        None,
    )
    assert data.digest == load_landmarks(pts_folder()).digest


def test_split_folders_are_used(pts_folder: Made) -> None:
    names = ("train", "Validation", "test")
    folder = pts_folder(tuple(f"{name}/a/{number}.png" for name in names for number in range(3)))
    data = load_landmarks(folder)
    check_dots(data)
    assert [data.size(split) for split in ("train", "val", "test")] == [3, 3, 3]


def as_table(folder: Path, persons: int | None = None) -> Path:
    """Write the points of a folder into one CSV."""
    lines = ["image," + ("" if persons is None else "person,") + "x0,y0,x1,y1,x2,y2"]
    for number, path in enumerate(sorted(folder.rglob("*.pts"))):
        seed = int(path.stem)
        who = "" if persons is None else f"{number % persons},"
        points = ",".join(f"{value}" for value in dots(seed, 24, 24)[1].flatten())
        lines.append(f"{path.relative_to(folder).with_suffix('.png').as_posix()},{who}{points}")
        path.unlink()
    table = folder / "points.csv"
    table.write_text("\n".join(lines) + "\n")
    return table


def test_one_csv_for_all_images_gives_the_same_data(pts_folder: Made) -> None:
    folder = pts_folder()
    digest = load_landmarks(folder).digest
    as_table(folder)
    assert load_landmarks(folder).digest == digest


def test_all_images_of_a_person_are_in_one_split(pts_folder: Made) -> None:
    folder = pts_folder()
    as_table(folder, persons=5)
    data = load_landmarks(folder)
    check_dots(data)
    parts = [split.persons for split in (data.train, data.val, data.test)]
    persons = [set(part.tolist()) for part in parts if part is not None]
    assert len(set.union(*persons)) == sum(map(len, persons)) == 5


def test_images_of_several_sizes_keep_their_aspect_ratio(pts_folder: Made) -> None:
    folder = pts_folder(sizes={"3.png": (24, 48), "4.png": (96, 24)})
    data = load_landmarks(folder, image_size=48)
    assert data.shape == (1, 48, 48)
    points = torch.cat([split.points for split in (data.train, data.val, data.test)])
    expected = torch.from_numpy(dots(3, 24, 48)[1] + 0.5) + torch.tensor([12, 0])
    assert any(torch.allclose(each.double(), expected) for each in points)
    expected = (torch.from_numpy(dots(4, 96, 24)[1] + 0.5) + torch.tensor([0, 36])) / 2
    assert any(torch.allclose(each.double(), expected) for each in points)


def test_images_are_cropped_around_their_points(pts_folder: Made) -> None:
    data = load_landmarks(pts_folder(), image_size=32, crop=0.25)
    sides = data.train.points.amax(dim=1) - data.train.points.amin(dim=1)
    assert torch.allclose(sides.amax(dim=1), torch.tensor(32 / 1.5), rtol=0.15)
    assert (data.train.points.mean() - 16).abs() < 4


def test_data_with_a_color_image_has_three_channels(pts_folder: Made) -> None:
    folder = pts_folder()
    Image.fromarray(np.full((24, 24, 3), [255, 0, 0], np.uint8)).save(folder / "0.png")
    assert load_landmarks(folder).shape == (3, 24, 24)


def remove_points(folder: Path) -> None:
    (folder / "3.pts").unlink()


def remove_image(folder: Path) -> None:
    (folder / "3.png").unlink()


def remove_all_points(folder: Path) -> None:
    for path in folder.glob("*.pts"):
        path.unlink()


def other_count(folder: Path) -> None:
    write_pts(folder / "3.pts", np.ones((2, 2)))


def outside(folder: Path) -> None:
    write_pts(folder / "3.pts", np.array([[1, 2], [23.6, 3], [4, 5]]))


def not_finite(folder: Path) -> None:
    write_pts(folder / "3.pts", np.array([[1, 2], [np.nan, 3], [4, 5]]))


def damaged(folder: Path) -> None:
    (folder / "3.png").write_bytes(b"\x89PNG\r\n\x1a\nno image")


def turned(folder: Path) -> None:
    image = Image.fromarray(dots(3, 24, 24)[0])
    image.getexif()[0x0112] = 6
    image.save(folder / "3.png", exif=image.getexif())


def two_tables(folder: Path) -> None:
    table = as_table(folder)
    table.with_name("other.csv").write_text(table.read_text())


def both_kinds(folder: Path) -> None:
    (folder / "points.csv").write_text("image,x0,y0\n3.png,1,2\n")


def unknown_image(folder: Path) -> None:
    table = as_table(folder)
    table.write_text(table.read_text() + "../elsewhere.png,1,2,3,4,5,6\n")


def same_stem(folder: Path) -> None:
    Image.fromarray(dots(3, 24, 24)[0]).save(folder / "3.bmp")


def loose_image(folder: Path) -> None:
    (folder / "train").mkdir()
    for suffix in (".png", ".pts"):
        (folder / f"3{suffix}").rename(folder / "train" / f"3{suffix}")


def only_tests(folder: Path) -> None:
    (folder / "test").mkdir()
    for path in [*folder.glob("*.p*")]:
        path.rename(folder / "test" / path.name)


def nothing_left(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (remove_points, "1 images have no points: 3; add"),
        (remove_image, "1 entries have no image: 3; add"),
        (remove_all_points, "no landmark files"),
        (other_count, r"0\.png has 3 points, but 3\.png has 2"),
        (outside, r"1 points lie outside of their images: point 1 of 3\.png \(23\.6, 3\)"),
        (not_finite, r"3\.pts, line 5: the point is not finite"),
        (damaged, r"3\.png cannot be read"),
        (turned, r"3\.png is rotated by its EXIF data"),
        (two_tables, r"expected one CSV or \.pts files, but got other\.csv, points\.csv"),
        (both_kinds, r"expected one CSV or \.pts files, but got points\.csv, 0\.pts"),
        (unknown_image, r"1 entries have no image: \.\./elsewhere\.png"),
        (same_stem, r"3\.bmp and 3\.png would have the same \.pts file"),
        (loose_image, "19 images lie outside of them: 0.png"),
        (only_tests, "has no training images, but test"),
        (nothing_left, "has no images"),
    ],
)
def test_a_damaged_folder_is_a_one_line_error(
    pts_folder: Made, damage: Callable[[Path], None], message: str
) -> None:
    folder = pts_folder()
    damage(folder)
    with pytest.raises(DataError, match=message) as error:
        load_landmarks(folder)
    assert "\n" not in str(error.value)


def test_too_few_images_for_a_validation_split_are_refused(pts_folder: Made) -> None:
    with pytest.raises(DataError, match="no images can be held out of 1 for validation"):
        load_landmarks(pts_folder(("0.png", "1.png")))


def archive(path: Path, **changes: object) -> Path:
    """Write an archive of eight images with three points, with some changes."""
    rng = np.random.default_rng(0)
    arrays = {
        "train_images": rng.integers(0, 255, (8, 16, 12, 3)).astype(np.uint8),
        "train_landmarks": rng.uniform(1, 11, (8, 3, 2)),
        "train_person": np.arange(8) // 2,
    }
    kept = {name: value for name, value in (arrays | changes).items() if value is not None}
    np.savez(path, **kept)  # type: ignore[arg-type]
    return path


def test_an_archive_with_images_points_and_persons_is_read(tmp_path: Path) -> None:
    data = load_landmarks(archive(tmp_path / "made.npz"))
    assert data.shape == (3, 16, 12)
    assert [data.size(split) for split in ("train", "val", "test")] == [4, 2, 2]
    assert load_landmarks(tmp_path).digest == data.digest
    with pytest.raises(OptionError, match="images of one size"):
        load_landmarks(tmp_path, image_size=32)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train_images": None}, "has no array train_images, but train_landmarks"),
        ({"train_landmarks": None}, "but no train_landmarks"),
        ({"train_images": np.zeros((8, 16, 12))}, "of type float64"),
        ({"train_landmarks": np.zeros((8, 6))}, r"train_landmarks \(n, K, 2\), but got \(8, 6\)"),
        ({"train_landmarks": np.zeros((7, 3, 2))}, "8 train_images, 7 train_landmarks"),
        ({"train_person": np.zeros(9)}, "8 train_landmarks, 9 train_person"),
        ({"train_landmarks": np.full((8, 3, 2), np.nan)}, "24 points are missing or not finite"),
        ({"train_landmarks": np.full((8, 3, 2), 13.0)}, "24 points lie outside"),
        ({"train_images": np.array([{}] * 8)}, "cannot be read"),
        (
            {"test_images": np.zeros((2, 4, 4), np.uint8), "test_landmarks": np.ones((2, 3, 2))},
            "images and points of one kind, but got",
        ),
    ],
)
def test_a_damaged_archive_is_a_one_line_error(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(DataError, match=message) as error:
        load_landmarks(archive(tmp_path / "made.npz", **changes))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive", b"hello"])
def test_a_file_that_is_not_an_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "faces.npz"
    path.write_bytes(content)
    with pytest.raises(DataError, match="cannot be read"):
        load_landmarks(path)
