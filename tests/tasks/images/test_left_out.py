"""Links, skipped files and conversions in folders of images, and their reports."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from diswot.errors import DataError
from tests.tasks.images.conftest import Load, fill, pixels_of, save


def note_of(notes: list[str], start: str) -> str:
    """Return the only note that starts with this text."""
    (note,) = [note for note in notes if note.startswith(start)]
    return note


def test_linked_folders_are_read_and_cycles_are_reported(tmp_path: Path, load: Load) -> None:
    folder, store = fill(tmp_path / "fruit", count=6), tmp_path / "store"
    for i in range(10):
        save(store / f"{i}.png", (i, 99, 7))
    (folder / "a" / "more").symlink_to(store)
    (folder / "a" / "again").symlink_to(store)
    (folder / "a" / "up").symlink_to(folder)
    (folder / "b" / "self").symlink_to(folder / "b" / "self")
    (folder / "everything").symlink_to(folder)
    (store / "back").symlink_to(folder / "a")
    data, notes = load(folder)
    assert data.classes == ("a", "b")
    assert len(pixels_of(data)) == 22
    message = note_of(notes, "links left out")
    assert ", 5: " in message
    assert "everything" in message


def test_files_that_are_not_regular_are_reported(tmp_path: Path, load: Load) -> None:
    folder = fill(tmp_path / "fruit", count=6)
    os.mkfifo(folder / "b" / "pipe.png")
    (folder / "b" / "zero.png").symlink_to("/dev/zero")
    (folder / "b" / "folder.png").mkdir()
    data, notes = load(folder)
    assert len(pixels_of(data)) == 12
    message = note_of(notes, "irregular files left out, 3: ")
    assert "b/folder.png (a folder), b/pipe.png (a named pipe), b/zero.png (a device)" in message


def test_hidden_and_system_files_are_counted(tmp_path: Path, load: Load) -> None:
    folder = fill(tmp_path / "fruit", count=6)
    save(folder / "__MACOSX" / "a" / "1.png")
    save(folder / "a" / ".ipynb_checkpoints" / "1-checkpoint.png")
    (folder / "a" / "Thumbs.db").write_bytes(b"\0")
    (folder / "a" / "._1.png").write_bytes(b"\0")
    data, notes = load(folder)
    assert data.classes == ("a", "b")
    assert len(pixels_of(data)) == 12
    assert note_of(notes, "hidden and system files left out, 4: ")


def test_loose_images_are_counted(tmp_path: Path, load: Load) -> None:
    folder = fill(tmp_path / "fruit", count=6)
    save(folder / "cover.png")
    assert "images outside of class folders left out, 1: cover.png" in load(folder)[1]


@pytest.mark.parametrize("suffix", [".jfif", ".jpe", ".JFIF", ".jp2", ".tga", ".avif", ".ico"])
def test_all_file_suffixes_of_pillow_are_read(tmp_path: Path, load: Load, suffix: str) -> None:
    kind = Image.registered_extensions()[suffix.lower()]
    if kind not in Image.SAVE:
        pytest.skip(f"this Pillow does not write {kind}")
    for name in ("a", "b"):
        for i in range(5):
            path = tmp_path / name / f"{i}{suffix}"
            path.parent.mkdir(exist_ok=True)
            Image.new("RGB", (16, 16), (200, 10 * i, 30)).save(path, kind)
    data, _ = load(tmp_path)
    assert len(pixels_of(data)) == 10
    assert abs(int(pixels_of(data)[0, 0, 8, 8]) - 200) < 8


@pytest.mark.parametrize("suffix", [".eps", ".pdf", ".h5", ".mpg"])
def test_no_file_is_passed_to_an_external_program(tmp_path: Path, load: Load, suffix: str) -> None:
    folder = fill(tmp_path / "fruit", count=6)
    (folder / "a" / f"x{suffix}").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    (folder / "a" / "really-eps.png").write_text("%!PS-Adobe-3.0 EPSF-3.0\n")
    _, notes = load(folder)
    assert f"1 {suffix}: a/x{suffix}" in note_of(notes, "files skipped that are not images, 1")
    assert "a/really-eps.png (it is not an image)" in note_of(
        notes, "unreadable images left out, 1"
    )


def test_the_error_names_the_suffixes_of_unknown_files(tmp_path: Path, load: Load) -> None:
    folder = fill(tmp_path / "fruit", count=6)
    for i in range(12):
        (folder / "c").mkdir(exist_ok=True)
        (folder / "c" / f"{i}.heic").write_bytes(b"\0")
    with pytest.raises(DataError, match=r"c has no images of a known kind \(12 .heic\): convert"):
        load(folder)


def deep(path: Path, value: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((12, 12), value, np.uint16)).save(path)


@pytest.mark.parametrize(
    ("largest", "depth"), [(65_535, 16), (4_095, 12), (1_023, 10), (255, 8), (51_400, 16)]
)
def test_16_bit_images_are_scaled_by_the_bits_in_use(
    tmp_path: Path, load: Load, largest: int, depth: int
) -> None:
    for name in ("a", "b"):
        for i in range(5):
            deep(tmp_path / name / f"{i}.png", largest if i else 0)
    data, notes = load(tmp_path)
    assert set(pixels_of(data).ravel().tolist()) == {0, largest * 255 // (2**depth - 1)}
    assert f"images of more than 8 bits, scaled to 8 (gray ones from {depth}): 10" in notes


@pytest.mark.parametrize("mode", ["F", "I"])
def test_pixels_with_an_unknown_range_are_refused(tmp_path: Path, load: Load, mode: str) -> None:
    for name in ("a", "b"):
        for i in range(5):
            path = tmp_path / name / f"{i}.tiff"
            path.parent.mkdir(exist_ok=True)
            Image.new(mode, (12, 12), i).save(path)
    with pytest.raises(DataError, match="whose range is not known: save it with 8 or 16 bits"):
        load(tmp_path)


def test_conversions_are_counted(tmp_path: Path, load: Load) -> None:
    folder, size = fill(tmp_path / "fruit", count=6), (12, 12)
    Image.new("CMYK", size).save(folder / "a" / "cmyk.jpg")
    Image.new("RGBA", size, (1, 2, 3, 128)).save(folder / "a" / "clear.png")
    frames = [Image.new("L", size, 80 * i) for i in range(3)]
    frames[0].save(folder / "a" / "moving.gif", save_all=True, append_images=frames[1:])
    frames[0].save(folder / "a" / "stack.tiff", save_all=True, append_images=frames[1:])
    tags = Image.Exif()
    tags[0x0112] = 3
    Image.new("RGB", size).save(folder / "b" / "turned.jpg", exif=tags)
    Image.new("RGB", (12, 60)).save(folder / "b" / "long.png")
    _, notes = load(folder)
    assert {
        "images of CMYK, converted to RGB: 1",
        "images transparent, composited on white: 1",
        "images turned, rotated as their EXIF data say: 1",
        "images of several frames, of which the first is taken: 2",
        "images scaled and cropped to 12×12, from 12×12 to 60×12: 1",
        "images that lose half of their area or more in the center crop: 1",
    } <= set(notes)


def test_equal_images_in_two_splits_are_counted(tmp_path: Path, load: Load) -> None:
    for split in ("train", "val", "test"):
        fill(tmp_path / split, count=4)
        save(tmp_path / split / "a" / f"{split}.png", (len(split), 1, 1))
    save(tmp_path / "train" / "b" / "other.png", (0, 0, 100))  # as a/00.png
    _, notes = load(tmp_path)
    assert "warning: 8 of 9 test images are train images too, pixel for pixel" in notes
    assert "warning: equal images in different classes: 1" in notes


def test_numeric_class_names_are_sorted_by_number(tmp_path: Path, load: Load) -> None:
    numbers = [str(i) for i in range(12)]
    data, notes = load(fill(tmp_path, numbers, count=4))  # type: ignore[arg-type]
    assert data.classes == tuple(numbers)
    assert notes[-1] == (
        "12 classes, images in train/val/test: "
        + ", ".join(f"{name} 2/1/1" for name in numbers[:8])
        + " and 4 more, each 2/1/1"
    )
    save(tmp_path / "01" / "1.png")
    with pytest.raises(DataError, match="the classes 01 and 1 are the same number"):
        load(tmp_path)


def test_other_class_names_are_sorted_as_text(tmp_path: Path, load: Load) -> None:
    names = ["b10", "b2", "1"]
    assert load(fill(tmp_path, names, count=4))[0].classes == ("1", "b10", "b2")  # type: ignore[arg-type]


def test_rare_classes_are_in_every_split(tmp_path: Path, load: Load) -> None:
    fill(tmp_path, "abc", count=100)
    fill(tmp_path, "d", count=3)
    data, _ = load(tmp_path)
    for split in (data.train, data.val, data.test):
        assert (split.labels == 3).sum() == 1


def test_a_file_instead_of_a_folder_is_refused(tmp_path: Path, load: Load) -> None:
    (tmp_path / "images.zip").write_bytes(b"PK")
    with pytest.raises(DataError, match=r"images.zip is a file, not a folder of images: unpack it"):
        load(tmp_path / "images.zip")
