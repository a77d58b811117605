"""Folders of images: inferred properties, and how every image format is read."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import diswot
from diswot.errors import DiswotError, OptionError
from diswot.tasks.images import batches
from tests.tasks.images.conftest import Load, fill, pixels_of, save


def test_class_folders_are_split_by_seed_and_stratified(tmp_path: Path, load: Load) -> None:
    data, notes = load(fill(tmp_path / "fruit", "ba", count=20))
    assert data.name == "fruit"
    assert data.classes == ("a", "b")
    assert data.shape == (3, 12, 12)
    assert [len(split) for split in (data.train, data.val, data.test)] == [29, 3, 8]
    assert torch.bincount(data.test.labels).tolist() == [4, 4]
    assert any("split with a fixed seed" in note for note in notes)


def test_with_train_and_val_folders_val_is_the_test_split(tmp_path: Path, load: Load) -> None:
    fill(tmp_path / "train", count=20)
    fill(tmp_path / "val", count=5)
    data, notes = load(tmp_path)
    assert [len(split) for split in (data.train, data.val, data.test)] == [36, 4, 10]
    assert "evaluated on the val split; a tenth of train held out for validation" in notes


def test_with_a_test_folder_too_all_splits_are_the_folders(tmp_path: Path, load: Load) -> None:
    for name, count in (("train", 6), ("val", 2), ("test", 3)):
        fill(tmp_path / name, count=count)
    data, _ = load(tmp_path)
    assert [len(split) for split in (data.train, data.val, data.test)] == [12, 4, 6]
    assert data.val.labels.tolist() == [0, 0, 1, 1]


def test_a_class_may_be_called_train(tmp_path: Path, load: Load) -> None:
    for name in ("train", "car"):
        fill(tmp_path, [name], count=6)  # type: ignore[arg-type]
    assert load(tmp_path)[0].classes == ("car", "train")


def test_decoded_images_equal_the_files(tmp_path: Path, load: Load) -> None:
    for split in ("train", "val", "test"):
        fill(tmp_path / split, count=3)
    data, _ = load(tmp_path)
    expected = [[40 * label, 10 * i, 100] for label in (0, 1) for i in range(3)]
    assert data.train.images[:, :, 5, 5].tolist() == expected
    taken = next(batches(data.train, 4, torch.Generator().manual_seed(0)))
    assert taken.images.shape == (4, 3, 12, 12)
    normal = data.normalize(data.train.images)
    torch.testing.assert_close(normal.mean(dim=(0, 2, 3)), torch.zeros(3), atol=1e-5, rtol=0)
    varying = normal.std(dim=(0, 2, 3), correction=0)[
        :2
    ]  # in the third channel all pixels are equal
    torch.testing.assert_close(varying, torch.ones(2), atol=1e-5, rtol=0)


def test_decoded_images_are_cached_until_a_file_changes(tmp_path: Path, load: Load) -> None:
    folder = fill(tmp_path / "fruit")
    first, notes = load(folder)
    assert not any("decoded before" in note for note in notes)
    again, notes = load(folder)
    assert any("decoded before" in note for note in notes)
    assert (again.digest, again.spec, again.notes) == (first.digest, first.spec, first.notes)
    np.testing.assert_array_equal(pixels_of(again), pixels_of(first))
    save(folder / "a" / "00.png", (1, 2, 3), size=(12, 12))
    os.utime(folder / "a" / "00.png", (1, 1))
    assert load(folder)[0].digest != first.digest


def test_the_digest_depends_only_on_the_images(tmp_path: Path, load: Load) -> None:
    data, _ = load(fill(tmp_path / "fruit"))
    others = diswot.ImageData("another", data.train, data.val, data.test, data.spec)
    assert data.digest == others.digest


def test_the_digest_in_the_cache_is_used(tmp_path: Path, kept: Path, load: Load) -> None:
    folder = fill(tmp_path / "fruit")
    computed = load(folder)[0].digest
    (about,) = kept.rglob("about.json")
    about.write_text(about.read_text().replace(computed, "0" * 64))
    assert load(folder)[0].digest == "0" * 64


def test_a_damaged_cache_is_refused(tmp_path: Path, kept: Path, load: Load) -> None:
    folder = fill(tmp_path / "fruit")
    load(folder)
    (images,) = kept.rglob("images.npy")
    images.write_bytes(images.read_bytes()[:-5])
    with pytest.raises(DiswotError, match=r"is damaged .*: remove it, and it is made again"):
        load(folder)


def test_writing_to_the_images_does_not_change_the_cache(tmp_path: Path, load: Load) -> None:
    folder = fill(tmp_path / "fruit")
    data, _ = load(folder)
    before = data.train.images.clone()
    data.train.images.zero_()
    assert torch.equal(load(folder)[0].train.images, before)


def test_only_gray_images_give_one_channel(tmp_path: Path, load: Load) -> None:
    gray, mixed = tmp_path / "gray", tmp_path / "mixed"
    for name in ("a", "b"):
        for i in range(5):
            save(gray / name / f"{i}.png", 10 * i)
            save(mixed / name / f"{i}.png", 10 * i if i < 2 else (10 * i, 0, 0))
    assert load(gray)[0].shape == (1, 12, 12)
    data, notes = load(mixed)
    assert data.shape == (3, 12, 12)
    assert any("4 gray ones converted" in note for note in notes)
    assert {(10, 10, 10), (40, 0, 0)} <= set(map(tuple, pixels_of(data)[:, :, 0, 0].tolist()))


def test_the_size_is_the_most_common_square_or_requested_one(tmp_path: Path, load: Load) -> None:
    for name in ("a", "b"):
        for i in range(6):
            save(tmp_path / name / f"{i}.png", size=(20, 16) if i < 4 else (30, 40))
    assert load(tmp_path)[0].shape == (3, 16, 20)
    assert load(tmp_path, 9)[0].shape == (3, 9, 9)
    for i in range(3):
        save(tmp_path / "a" / f"{i}.png", size=(50 + i, 33))
        save(tmp_path / "b" / f"{i}.png", size=(30, 70 + i))
    assert load(tmp_path)[0].shape == (3, 30, 30)


def test_the_size_of_large_images_is_limited(tmp_path: Path, load: Load) -> None:
    for name in ("a", "b"):
        for i in range(3):
            save(tmp_path / name / f"{i}.png", size=(600, 400))
    assert load(tmp_path)[0].shape == (3, 224, 224)


def test_images_of_other_shapes_are_center_cropped(tmp_path: Path, load: Load) -> None:
    wide = Image.new("RGB", (30, 10), "red")
    wide.paste("blue", (10, 0, 20, 10))
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for i in range(3):
            wide.save(tmp_path / name / f"{i}.png")
    pixels = pixels_of(load(tmp_path, 10)[0])
    assert (pixels == np.array([0, 0, 255]).reshape(1, 3, 1, 1)).all()


def modes(folder: Path) -> dict[str, tuple[int, ...]]:
    """Write one image per mode as `NAME.*`, and return their visible colors."""
    size = (12, 12)
    clear = Image.new("RGBA", size, (10, 20, 30, 0))
    Image.new("RGBA", size, (10, 20, 30, 255)).save(folder / "opaque.png")
    clear.save(folder / "clear.png")
    Image.new("LA", size, (50, 255)).save(folder / "gray-alpha.png")
    Image.new("1", size, 1).save(folder / "bits.png")
    Image.new("CMYK", size, (0, 255, 255, 0)).save(folder / "cmyk.tiff")
    Image.new("RGB", size, (1, 2, 3)).quantize(4).save(folder / "palette.png")
    Image.fromarray(np.full((12, 12), 200 * 257, np.uint16)).save(folder / "sixteen.png")
    frames = [Image.new("P", size, i) for i in (0, 1)]
    for frame in frames:
        frame.putpalette([9, 8, 7, 200, 200, 200])
    frames[0].save(folder / "moving.gif", save_all=True, append_images=frames[1:])
    Image.new("RGB", size, (4, 5, 6)).save(folder / "CAPITALS.BMP")
    Image.new("RGB", size, (7, 8, 9)).save(folder / "web.webp", lossless=True)
    Image.new("RGB", size, (9, 9, 1)).save(folder / "plain.ppm")
    return {
        "CAPITALS.BMP": (4, 5, 6),
        "bits.png": (255, 255, 255),
        "clear.png": (255, 255, 255),
        "cmyk.tiff": (255, 0, 0),
        "gray-alpha.png": (50, 50, 50),
        "moving.gif": (9, 8, 7),
        "opaque.png": (10, 20, 30),
        "palette.png": (1, 2, 3),
        "plain.ppm": (9, 9, 1),
        "sixteen.png": (200, 200, 200),
        "web.webp": (7, 8, 9),
    }


def test_every_image_mode_is_read_with_its_visible_colors(tmp_path: Path, load: Load) -> None:
    for split in ("val", "test"):
        fill(tmp_path / split, count=1)
    fill(tmp_path / "train", count=1)
    (tmp_path / "train" / "a" / "00.png").unlink()
    expected = modes(tmp_path / "train" / "a")
    data, _ = load(tmp_path)
    pixels = data.train.images[data.train.labels == 0][:, :, 6, 6]
    assert dict(zip(expected, map(tuple, pixels.tolist()), strict=True)) == expected


def test_images_are_rotated_by_their_exif_data(tmp_path: Path, load: Load) -> None:
    tags = Image.Exif()
    tags[0x0112] = 6  # rotated: the first row is the right side
    lying = Image.new("RGB", (24, 12), "white")
    lying.paste("black", (0, 0, 24, 6))
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for i in range(3):
            lying.save(tmp_path / name / f"{i}.png", exif=tags)
            lying.save(tmp_path / name / f"{i}.jpg", exif=tags, quality=95)
    data, _ = load(tmp_path)
    assert data.shape == (3, 24, 12)
    left, right = (pixels_of(load(tmp_path, 12)[0])[..., 6, side] for side in (1, 10))
    assert (left > 240).all()
    assert (right < 15).all()


@pytest.mark.slow
@given(
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    wanted=st.integers(1, 24),
    mode=st.sampled_from(["L", "RGB", "RGBA", "LA", "P", "1", "CMYK", "I;16"]),
)
def test_images_of_any_shape_and_mode_are_resized(
    tmp_path_factory: pytest.TempPathFactory, size: tuple[int, int], wanted: int, mode: str
) -> None:
    root = tmp_path_factory.mktemp("any")
    (root / "kept").mkdir()
    for name in ("a", "b"):
        (root / "in" / name).mkdir(parents=True)
        for i in range(3):
            suffix = "tiff" if mode == "CMYK" else "png"
            Image.new(mode, size).save(root / "in" / name / f"{i}.{suffix}")
    data = diswot.load_data(root / "in", root=root / "kept", image_size=wanted)
    assert data.shape[1:] == (wanted, wanted)
    assert data.shape[0] == (1 if mode in ("L", "LA", "1", "I;16") else 3)
    shutil.rmtree(root)


def test_other_and_hidden_files_are_skipped_and_links_followed(tmp_path: Path, load: Load) -> None:
    folder = fill(tmp_path / "fruit")
    (folder / "a" / "notes.txt").write_text("not an image")
    (folder / "a" / ".DS_Store").write_bytes(b"\0")
    (folder / ".git").mkdir()
    save(folder / "a" / "deeper" / "x.JPG")
    (folder / "b" / "linked.png").symlink_to(save(tmp_path / "elsewhere.png"))
    (folder / "c").symlink_to(fill(tmp_path / "more", "c") / "c")
    data, notes = load(folder)
    assert data.classes == ("a", "b", "c")
    assert len(pixels_of(data)) == 32
    assert "files skipped that are not images, 1: 1 .txt: a/notes.txt" in notes
    assert "hidden and system files left out, 2: .git, a/.DS_Store" in notes


def test_a_few_unreadable_images_are_left_out_and_named(tmp_path: Path, load: Load) -> None:
    folder = fill(tmp_path / "fruit", suffix=".jpg")
    (folder / "a" / "00.jpg").write_text("no image")
    whole = (folder / "a" / "01.jpg").read_bytes()
    (folder / "a" / "01.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "b" / "02.jpg").write_bytes(b"")
    (folder / "b" / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    data, notes = load(folder)
    assert len(pixels_of(data)) == 17
    (line,) = [note for note in notes if note.startswith("unreadable images left out, 4: ")]
    assert "a/00.jpg (" in line
    assert "and 1 more" in line
    assert "\n" not in line


def test_many_unreadable_images_are_refused(tmp_path: Path, load: Load) -> None:
    folder = fill(tmp_path / "fruit")
    for i in range(6):
        (folder / "a" / f"{i:02}.png").write_text("no image")
    with pytest.raises(DiswotError, match=r"more than 5 of the 20 images in .* and 3 more; fix"):
        load(folder)


def test_a_class_whose_images_are_all_unreadable_is_refused(tmp_path: Path, load: Load) -> None:
    folder = fill(tmp_path / "fruit", "abc", count=4)
    for i in range(4):
        (folder / "b" / f"{i:02}.png").write_text("no image")
    with pytest.raises(DiswotError, match=r"no training image of b in .* can be read"):
        load(folder)


def test_a_split_whose_images_are_all_unreadable_is_refused(tmp_path: Path, load: Load) -> None:
    for split in ("train", "val", "test"):
        fill(tmp_path / split, count=1)
    for path in (tmp_path / "val").rglob("*.png"):
        path.write_text("no image")
    with pytest.raises(DiswotError, match="no val image in"):
        load(tmp_path)


def test_a_folder_with_only_unreadable_images_is_refused(tmp_path: Path, load: Load) -> None:
    for split in ("train", "val"):
        for path in fill(tmp_path / split, count=1 if split == "val" else 4).rglob("*.png"):
            path.write_text("no image")
    with pytest.raises(DiswotError, match="cannot be read"):
        load(tmp_path)


def test_an_image_of_too_many_pixels_is_not_decoded(
    tmp_path: Path, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = fill(tmp_path / "fruit")
    save(folder / "a" / "bomb.png", size=(40, 40))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    _, notes = load(folder)
    assert any("a/bomb.png (Image size (1600 pixels)" in note for note in notes)


def emptied(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


def of_one_class(folder: Path) -> None:
    shutil.rmtree(folder / "b")


def with_an_empty_class(folder: Path) -> None:
    (folder / "c").mkdir()


def of_loose_images(folder: Path) -> None:
    emptied(folder)
    save(folder / "x.png")


def of_train_alone(folder: Path) -> None:
    emptied(folder)
    fill(folder / "train")


def of_different_classes(folder: Path) -> None:
    emptied(folder)
    fill(folder / "train", "abc")
    fill(folder / "val", "abd")


def of_single_images(folder: Path) -> None:
    emptied(folder)
    fill(folder, count=1)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (shutil.rmtree, "no folder"),
        (emptied, "has no class folders"),
        (of_one_class, "has one class folder, a"),
        (with_an_empty_class, "c has no images"),
        (of_loose_images, "has no class folders"),
        (of_train_alone, "neither val/ nor test/"),
        (of_different_classes, "it has d; it lacks c"),
        (of_single_images, "add images, to at least three per class"),
    ],
)
def test_an_invalid_folder_is_a_one_line_error(
    tmp_path: Path, load: Load, spoil: "object", reason: str
) -> None:
    folder = fill(tmp_path / "fruit")
    spoil(folder)  # type: ignore[operator]
    with pytest.raises(DiswotError) as caught:
        load(str(folder))
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_image_size_is_refused_for_data_of_fixed_size(load: Load, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="which are used as they are: leave image_size 8 out"):
        load("digits", 8)
    with pytest.raises(OptionError, match="from 1 to 4,096, but got 0"):
        load(fill(tmp_path / "fruit"), 0)


def test_a_cache_that_cannot_be_written_is_reported(tmp_path: Path, kept: Path, load: Load) -> None:
    (kept / "images").write_text("in the way")
    with pytest.raises(DiswotError, match="decoded images cannot be kept"):
        load(fill(tmp_path / "fruit"))


@pytest.mark.slow
def test_a_real_folder_is_read(shared_data: Path, load: Load) -> None:
    data, notes = load(str(shared_data / "tiny-imagenet-20"))
    assert data.summary() == (
        "tiny-imagenet-20: 1,440 train, 160 val, 600 test images of 3×64×64, 20 classes"
    )
    assert any("48 gray ones converted" in note for note in notes)
    assert data.classes is not None
    name = next(
        i for i, path in enumerate(sorted((shared_data / "tiny-imagenet-20/val").iterdir()))
    )
    first = sorted((shared_data / "tiny-imagenet-20" / "val" / data.classes[name]).iterdir())[0]
    with Image.open(first) as image:
        expected = np.asarray(image.convert("RGB")).transpose(2, 0, 1)
    np.testing.assert_array_equal(data.test.images[0].numpy(), expected)


def test_the_cached_description_is_plain_json(tmp_path: Path, kept: Path, load: Load) -> None:
    data, _ = load(fill(tmp_path / "fruit"))
    (about,) = kept.rglob("about.json")
    assert json.loads(about.read_text())["classes"] == list(data.classes or ())
    assert not list(kept.rglob("*.partial"))
