"""Images with texts in files: folders of classes, and captions."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from diswot.errors import DiswotError
from diswot.tasks.image_text import ImageTextData, load_image_text

CAPTIONS = [(f"{index}.png", f"a photo number {index}", f"照片{index}") for index in range(20)]


def image(path: Path, seed: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


def write(folder: Path, rows: Sequence[tuple[str, ...]], header: str = "image,en,zh") -> Path:
    lines = [header, *(",".join(row) for row in rows)]
    (folder / "captions.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Return 20 images with captions in two languages."""
    for index, (name, *_) in enumerate(CAPTIONS):
        image(tmp_path / "photos" / name, index)
    return write(tmp_path / "photos", CAPTIONS)


@pytest.fixture
def classes(tmp_path: Path) -> Path:
    """Return six classes of four images."""
    for label in range(6):
        for index in range(4):
            image(tmp_path / "classes" / f"big_bird-{label}" / f"{index}.png", 10 * label + index)
    return tmp_path / "classes"


def table(folder: Path, header: str, rows: list[str]) -> Path:
    (folder / "classes.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return folder


def load(path: Path, **options: object) -> ImageTextData:
    root = path.parent / "root"
    root.mkdir(exist_ok=True)
    return load_image_text(str(path), root=root, image_size=8, **options)  # type: ignore[arg-type]


def test_captions_are_classes_of_their_images(photos: Path) -> None:
    data = load(photos)
    assert [data.size(split) for split in ("train", "val", "test")] == [15, 1, 4]
    assert data.seen.languages == ("en", "zh")
    assert len(data.unseen) == 4
    texts = {*data.seen.prompts("en"), *data.unseen.prompts("en")}
    assert texts == {caption for _, caption, _ in CAPTIONS}
    assert load(photos, languages="zh").seen.languages == ("zh",)
    assert load(photos / "captions.csv").digest == data.digest


def test_json_lines_have_splits(photos: Path) -> None:
    splits = ["train"] * 14 + ["val"] * 2 + ["test"] * 4
    lines = [
        json.dumps({"image": name, "de": german, "split": split})
        for (name, german, _), split in zip(CAPTIONS, splits, strict=True)
    ]
    (photos / "captions.csv").unlink()
    (photos / "captions.jsonl").write_text("\n".join(lines))
    data = load(photos)
    assert [data.size(split) for split in ("train", "val", "test")] == [14, 2, 4]
    assert data.unseen.by_language == {"de": tuple(item[1] for item in CAPTIONS[16:])}


def test_further_captions_of_an_image_are_left_out(photos: Path) -> None:
    data = load(write(photos, [*CAPTIONS, ("0.png", "another", "另一张")]))
    assert data.notes == ("further captions of the same image left out: 1",)


def test_folders_are_classes(classes: Path) -> None:
    data = load(classes)
    assert len(data.seen) == len(data.unseen) == 3
    assert [data.size(split) for split in ("train", "val", "test")] == [9, 3, 9]
    assert len(data.pairs.train) == 9 + 3
    assert data.seen.prompts("en")[0].startswith("a photo of big bird ")
    german = load(classes, languages="de", template="ein Bild: {}")
    assert german.seen.prompts("de")[0].startswith("ein Bild: big bird ")


def test_a_table_names_and_describes_classes(classes: Path) -> None:
    rows = [
        f"big_bird-{n},bird {n},鸟{n},{'It has a red bill.' if n == 0 else ''},{int(n > 3)}"
        for n in range(6)
    ]
    data = load(table(classes, "name,en,zh,description,unseen", rows), descriptions=True)
    assert data.seen.by_language["zh"] == ("鸟0", "鸟1", "鸟2", "鸟3")
    assert data.seen.prompts("en")[:2] == (
        "a photo of bird 0 . It has a red bill.",
        "a photo of bird 1",
    )
    assert data.seen.prompts("zh")[0] == "一张鸟0的照片"
    assert load(classes).seen.prompts("en")[0] == "a photo of bird 0"
    assert data.unseen.by_language["en"] == ("bird 4", "bird 5")


@pytest.mark.parametrize(
    ("rows", "header", "options", "expected"),
    [
        ([("9.jpg", "a", "b")], "image,en,zh", {}, r"line 2: there is no image .*9\.jpg: correct"),
        (CAPTIONS, "image,en,de", {"languages": "en,zh"}, "--languages.*no 'zh' among 'image'"),
        (
            [(n, "x", "y") for n, *_ in CAPTIONS],
            "image,en,zh",
            {},
            "all 20 images have the caption",
        ),
        ([*CAPTIONS[:3], ("4.png", "", "b")], "image,en,zh", {}, "line 5: the caption in en is"),
        (CAPTIONS, "photo,en,zh", {}, "no 'image' among 'photo'"),
        (CAPTIONS[:4], "image,en,zh", {}, "at least 2 unseen captions, but got 1"),
        ([], "image,en,zh", {}, "is empty"),
        (CAPTIONS, "image,en,zh", {"template": "{}"}, "--template does not apply, as captions"),
        (CAPTIONS, "image,en,split", {}, "names the split '照片0': write train, val or test"),
    ],
)
def test_unfit_captions_are_one_line(
    photos: Path,
    rows: Sequence[tuple[str, ...]],
    header: str,
    options: dict[str, object],
    expected: str,
) -> None:
    with pytest.raises(DiswotError, match=expected) as failed:
        load(write(photos, rows, header), **options)
    assert "\n" not in str(failed.value)


ROWS = [f"big_bird-{n},bird {n}" for n in range(6)]


@pytest.mark.parametrize(
    ("header", "rows", "options", "expected"),
    [
        ("name,en", [*ROWS[:5], "big_bird-5,"], {}, "line 7: the class 'big_bird-5' has no name"),
        ("name,en", ROWS[:5], {}, "no row for the class 'big_bird-5', which is a folder"),
        ("name,en", ROWS, {"languages": "en,zh"}, "--languages.*no 'zh' among 'name', 'en'"),
        ("name,en", [*ROWS, ROWS[0]], {}, "line 8: the class 'big_bird-0' has two rows"),
        (
            "name,unseen",
            [f"big_bird-{n},{int(n > 4)}" for n in range(6)],
            {},
            "2 unseen classes, b",
        ),
        ("name,unseen", [f"big_bird-{n},x" for n in range(6)], {}, "0 or 1 in the column unseen"),
        ("name,en", ROWS, {"descriptions": True}, "has no descriptions of classes: add a column"),
        ("name,en", ROWS, {"template": "a photo"}, r"a template with \{\} once"),
    ],
)
def test_unfit_classes_are_one_line(
    classes: Path, header: str, rows: list[str], options: dict[str, object], expected: str
) -> None:
    with pytest.raises(DiswotError, match=expected) as failed:
        load(table(classes, header, rows), **options)
    assert "\n" not in str(failed.value)


def test_files_that_are_not_images_are_named(classes: Path) -> None:
    (classes / "big_bird-0" / "0.png").write_bytes(b"no image")
    with pytest.raises(DiswotError, match=r"0\.png cannot be read as an image"):
        load(classes)


def test_missing_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DiswotError, match="there is no folder of images or file of captions"):
        load(tmp_path / "nowhere")
