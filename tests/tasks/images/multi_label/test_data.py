"""Multi-label images from files and from users' datasets."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from PIL import Image

from diswot.errors import DataError, DiswotError, OptionError
from diswot.tasks import check_class_labels, class_labels
from diswot.tasks.images import load_data
from diswot.tasks.images.multi_label import MultiLabelData, held_out_of, load_multi_label
from diswot.testing import check_task

SETS = (("cat",), ("dog",), ("cat", "dog"), ()) * 6
"""Labels of 24 images."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of 24 images of 12×8 pixels."""
    for number in range(len(SETS)):
        pixels = np.full((8, 12, 3), 10 * number, dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    return tmp_path


def written(path: Path, lines: Sequence[str]) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def rows(separator: str, *, split: bool = False) -> list[str]:
    parts = ["train"] * 12 + ["val"] * 4 + ["test"] * 8
    return [
        f"{number}.png,{separator.join(labels)}" + (f",{part}" if split else "")
        for number, (labels, part) in enumerate(zip(SETS, parts, strict=True))
    ]


def refused(data: Any, **options: Any) -> str:
    with pytest.raises(DiswotError) as caught:
        load_multi_label(data, **options)
    message = str(caught.value)
    assert "\n" not in message
    return message


def all_sets(data: MultiLabelData) -> list[tuple[str, ...]]:
    vectors = torch.cat([split.labels for split in (data.train, data.val, data.test)])
    names = data.classes or ()
    return sorted(tuple(names[n] for n in row.nonzero().flatten()) for row in vectors)


@pytest.mark.parametrize("separator", [";", "|"])
def test_a_csv_file_names_several_labels(folder: Path, separator: str) -> None:
    file = written(folder / "labels.csv", ["image,labels", *rows(separator)])
    for place in (file, folder):
        data = load_multi_label(str(place))
        assert data.classes == ("cat", "dog")
        assert all_sets(data) == sorted(SETS)
        assert (data.shape, data.size("test")) == ((3, 8, 12), 5)
    check_task(data)


def test_splits_of_lines_are_used(folder: Path) -> None:
    written(folder / "labels.csv", ["file_name,tags,split", *rows(";", split=True)])
    data = load_multi_label(folder, image_size=8)
    assert [data.size(split) for split in ("train", "val", "test")] == [12, 4, 8]
    assert data.test.labels.tolist() == [[1, 0], [0, 1], [1, 1], [0, 0]] * 2
    assert int(data.test.images[0, 0, 0, 0]) == 160  # the 17th image
    assert data.originals["test"].paths[0].name == "16.png"


def test_columns_of_zeros_and_ones_are_labels(folder: Path) -> None:
    lines = [f"{n}.png,{int('dog' in own)},{int('cat' in own)}" for n, own in enumerate(SETS)]
    data = load_multi_label(written(folder / "labels.csv", ["image,dog,cat", *lines]))
    assert data.classes == ("dog", "cat")
    assert len(data.train) + len(data.val) + len(data.test) == 24


def test_json_lines_in_split_folders_are_read(folder: Path) -> None:
    for split, numbers in {"train": range(16), "test": range(16, 24)}.items():
        (folder / split).mkdir()
        lines = []
        for number in numbers:
            (folder / f"{number}.png").rename(folder / split / f"{number}.png")
            names = ", ".join(f'"{name}"' for name in SETS[number])
            lines.append(f'{{"file_name": "{number}.png", "labels": [{names}]}}')
        written(folder / split / "metadata.jsonl", lines)
    data = load_multi_label(folder)
    assert (data.size("train") + data.size("val"), data.size("test")) == (16, 8)
    assert data.test.labels.tolist() == [[1, 0], [0, 1], [1, 1], [0, 0]] * 2


def test_lines_of_one_image_are_joined(folder: Path) -> None:
    lines = [f"{n}.png,{label}" for n, labels in enumerate(SETS) for label in labels]
    data = load_multi_label(written(folder / "labels.csv", ["image,label", *lines]))
    assert all_sets(data) == sorted(labels for labels in SETS if labels)
    assert "lines of the same image joined: 6" in data.notes


def test_the_same_folder_gives_the_same_data(folder: Path) -> None:
    written(folder / "labels.csv", ["image,labels", *rows(";")])
    first, second = load_multi_label(folder), load_multi_label(folder)
    assert first.digest == second.digest
    assert first.source is not None
    assert first.source.data == str(folder)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["image,labels", "0.png,cat", "7777.png,dog"], "line 3: there is no image"),
        (["image,labels", "0.png,cat,dog"], "expected 2 cells as in the header, but got 3"),
        (["photo,labels", "0.png,cat"], "no column of 'photo', 'labels' is a known name"),
        (["image", "0.png"], "has no labels: add a column labels"),
        (["image,cat", "0.png,2"], "expected 0 or 1 in the column 'cat', but got '2'"),
        (["image,labels,split", "0.png,cat,left"], "names the split 'left'"),
        (["image,labels,split", "0.png,cat,test"], "no line of the split train"),
        (["image,labels,split", "0.png,cat,train", "0.png,dog,test"], "is already in the split"),
        (["image,labels", "0.png,", "1.png,"], "no training image of"),
    ],
)
def test_invalid_lines_are_refused_in_one_line(folder: Path, lines: list[str], words: str) -> None:
    assert words in refused(written(folder / "labels.csv", lines))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "this is not JSON"),
        ("[]", "expected an object"),
        ('{"image": "0.png", "labels": "cat"}', "expected a list of labels, but got"),
        ('{"image": "0.png", "labels": [1.5]}', "expected labels as names or whole numbers"),
        ('{"image": 3, "labels": []}', "expected the path of an image"),
        ('{"image": "0.png"}', "known name for the labels"),
    ],
)
def test_invalid_json_lines_are_refused(folder: Path, line: str, words: str) -> None:
    assert words in refused(written(folder / "labels.jsonl", [line]))


def test_an_undeclared_label_is_refused_with_the_nearest(folder: Path) -> None:
    written(folder / "labels.csv", ["image,labels,split", *rows(";", split=True)])
    written(folder / "classes.txt", ["dogs", "cat"])
    assert "'dog': did you mean 'dogs'?" in refused(folder)
    written(folder / "classes.txt", ["bird", "dog", "cat"])
    assert load_multi_label(folder).classes == ("bird", "dog", "cat")


def test_a_label_of_no_training_image_is_refused(folder: Path) -> None:
    lines = ["image,labels,split", *rows(";", split=True)[:-1], "23.png,cta,test"]
    assert "'cta': did you mean 'cat'?" in refused(written(folder / "labels.csv", lines))


def test_folders_without_labels_are_refused(folder: Path) -> None:
    assert "has no .csv or .jsonl file" in refused(folder)
    assert "give a .csv or .jsonl file" in refused(str(folder / "absent"))
    for name in ("one.csv", "two.csv"):
        written(folder / name, ["image,labels", "0.png,cat"])
    assert "one.csv, two.csv: name one of them" in refused(folder)


IMAGES = torch.rand(24, 3, 8, 8, generator=torch.Generator().manual_seed(0))
NUMBERS = [[("cat", "dog").index(name) for name in own] for own in SETS]


@pytest.mark.parametrize("form", ["names", "numbers", "vectors", "set"])
def test_datasets_give_labels_in_usual_forms(form: str) -> None:
    vectors = torch.zeros(24, 2)
    for index, own in enumerate(NUMBERS):
        vectors[index, own] = 1
    labels: dict[str, Sequence[Any]] = {
        "names": SETS,
        "numbers": NUMBERS,
        "vectors": list(vectors),
        "set": [set(own) for own in SETS],
    }
    items = [
        {"image": image, "labels": own} for image, own in zip(IMAGES, labels[form], strict=True)
    ]
    data = load_multi_label({"train": items, "test": items[:8]})
    assert data.test.labels.tolist() == [[1, 0], [0, 1], [1, 1], [0, 0]] * 2
    assert data.classes == (("cat", "dog") if form in ("names", "set") else None)


def test_class_names_of_list_features_are_found() -> None:
    class Features(list[Any]):
        features: ClassVar = {  # as of a Hugging Face dataset with a list of class labels
            "image": SimpleNamespace(),
            "labels": SimpleNamespace(feature=SimpleNamespace(names=["cat", "dog"])),
        }

    items = [{"image": image, "labels": own} for image, own in zip(IMAGES, NUMBERS, strict=True)]
    assert load_multi_label(Features(items)).classes == ("cat", "dog")


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([1.5], "item 0 of"),
        ([-1], "but -1"),
        (torch.tensor([0.0, 0.5]), "not of zeros and ones"),
        (None, "but None"),
    ],
)
def test_labels_of_other_forms_are_refused(labels: Any, words: str) -> None:
    message = refused([(IMAGES[0], labels)] * 8)
    assert words in message
    assert "list of names or of numbers" in message


def test_options_that_need_one_class_are_refused() -> None:
    data = load_multi_label("digit-sets")
    for check in (check_class_labels, class_labels):
        with pytest.raises(OptionError, match="digit-sets does not have: leave --class-weights"):
            check(data, "train")
    assert "has one class for each image" in refused(load_data("digits"))
    with pytest.raises(DataError, match="use the task multi-label"):
        load_data([(image, torch.ones(3)) for image in IMAGES])


def test_every_part_has_its_share_of_each_label() -> None:
    generator = torch.Generator().manual_seed(0)
    labels = (
        torch.rand(300, 6, generator=generator) < torch.tensor([0.5, 0.3, 0.2, 0.1, 0.05, 0.02])
    ).int()
    rest, held = held_out_of(labels, 5, seed=0)
    assert sorted([*rest.tolist(), *held.tolist()]) == list(range(300))
    assert len(held) == pytest.approx(60, abs=1)
    assert labels[held].sum(0).float() == pytest.approx(labels.sum(0).float() / 5, abs=1.01)
