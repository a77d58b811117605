"""Which folders are splits, and ambiguous layouts that are refused."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diswot.errors import DataError
from diswot.tasks._split_names import split_names
from tests.tasks.images.conftest import Load, fill, save


def fill_splits(root: Path, names: Sequence[str]) -> Path:
    """Write a folder for each name, with more images in the first."""
    for place, name in enumerate(names):
        fill(root / name, count=12 if place == 0 else 4 + place)
    return root


THREE = [
    ("train", "val", "test"),
    ("Train", "Val", "Test"),
    ("TRAIN", "VALID", "TEST"),
    ("training", "validation", "testing"),
    ("trn", "dev", "tst"),
    ("train_images", "val_images", "test_images"),
    ("images_train", "images_val", "images_test"),
    ("TrainSet", "ValidationSet", "TestSet"),
    ("trainset", "valset", "testset"),
    ("training_set", "dev-set", "hold_out"),
    ("birds-train", "birds-valid", "birds-test"),
    ("ILSVRC_train", "ILSVRC_val", "ILSVRC_test"),
    ("train2017", "val2017", "test2017"),
    ("train", "eval", "test"),
    ("training", "validation", "evaluation"),
]


@pytest.mark.parametrize("names", THREE, ids=" ".join)
def test_three_splits_are_recognized_by_their_names(
    tmp_path: Path, load: Load, names: tuple[str, str, str]
) -> None:
    data, notes = load(fill_splits(tmp_path, names))
    assert data.classes == ("a", "b")
    assert [len(split) for split in (data.train, data.val, data.test)] == [24, 10, 12]
    if names != ("train", "val", "test"):
        places = ", ".join(
            f"{name}/ for {split}"
            for name, split in zip(names, ("train", "val", "test"), strict=True)
        )
        assert f"folders taken as splits: {places}" in notes


TWO = [
    ("Training", "Testing"),
    ("seg_train", "seg_test"),
    ("train", "holdout"),
    ("train", "eval"),
    ("train_val", "test"),
]


@pytest.mark.parametrize("names", TWO, ids=" ".join)
def test_of_two_splits_the_second_is_the_test_split(
    tmp_path: Path, load: Load, names: tuple[str, str]
) -> None:
    data, notes = load(fill_splits(tmp_path, names))
    assert data.classes == ("a", "b")
    assert [len(split) for split in (data.train, data.val, data.test)] == [22, 2, 10]
    assert any(note.startswith("evaluated on the ") for note in notes)


@pytest.mark.parametrize("inside", ["data", "archive/Images", "ILSVRC/Data/CLS-LOC"])
def test_splits_in_subfolders_are_found(tmp_path: Path, load: Load, inside: str) -> None:
    fill_splits(tmp_path / inside, ("train", "test"))
    (tmp_path / "Annotations").mkdir()
    (tmp_path / "Annotations" / "a.xml").write_text("<a/>")
    data, notes = load(tmp_path)
    assert data.classes == ("a", "b")
    assert f"read from {inside}/" in notes


def test_classes_below_a_folder_in_every_split_are_found(tmp_path: Path, load: Load) -> None:
    for name in ("seg_train", "seg_test"):
        fill(tmp_path / name / name, count=10)
    save(tmp_path / "seg_pred" / "seg_pred" / "1.png")
    data, notes = load(tmp_path)
    assert data.classes == ("a", "b")
    assert any("without classes left out, 1: seg_pred" in note for note in notes)


def test_class_folders_below_another_folder_are_found(tmp_path: Path, load: Load) -> None:
    fill(tmp_path / "images", count=6)
    assert load(tmp_path)[0].classes == ("a", "b")


def test_a_class_named_as_a_split_is_reported(tmp_path: Path, load: Load) -> None:
    for name in ("train", "car", "bus", "plane"):
        fill(tmp_path, [name], count=6)  # type: ignore[arg-type]
    data, notes = load(tmp_path)
    assert data.classes == ("bus", "car", "plane", "train")
    assert "train/ is taken for a class: it holds images and no folders" in notes


def two_of_a_kind(root: Path) -> None:
    fill_splits(root, ("train", "val", "dev"))


def two_by_case(root: Path) -> None:
    fill_splits(root, ("train", "Train", "test"))


def domains_of_a_split(root: Path) -> None:
    fill_splits(root, ("trainA", "trainB", "testA", "testB"))


def splits_and_a_class(root: Path) -> None:
    fill_splits(root, ("train", "test"))
    save(root / "wren" / "1.png")


def a_class_with_folders(root: Path) -> None:
    fill(root, ["car", "bus"])  # type: ignore[arg-type]
    fill(root / "train", ["steam", "diesel"])  # type: ignore[arg-type]


def folds(root: Path) -> None:
    fill_splits(root, ("fold1", "fold2", "fold3"))


def no_training_images(root: Path) -> None:
    fill_splits(root, ("val", "test"))


def no_class_folders(root: Path) -> None:
    save(root / "train" / "1.png")
    save(root / "test" / "1.png")


def unlabeled_test_images(root: Path) -> None:
    fill(root / "train")
    save(root / "test" / "1.png")


def splits_in_classes(root: Path) -> None:
    for name in ("bottle", "cable"):
        for split in ("train", "test"):
            save(root / name / split / "1.png")


def detection(root: Path) -> None:
    for split in ("train", "valid"):
        save(root / split / "images" / "1.png")
        (root / split / "labels").mkdir()


def a_missing_class(root: Path) -> None:
    fill(root / "Train", "abc")
    fill(root / "Test", "ab")


@pytest.mark.parametrize(
    ("write", "reason"),
    [
        (two_of_a_kind, "dev and val both mean the validation split"),
        (two_by_case, "Train and train both mean the training split"),
        (domains_of_a_split, "testA and testB both mean the test split"),
        (splits_and_a_class, "and also wren/"),
        (a_class_with_folders, "if all are classes, rename train/"),
        (folds, "fold1/, fold2/, fold3/, which are folds"),
        (no_training_images, "has test/ and val/ but no folder of training images"),
        (no_class_folders, "named as splits, but without class folders"),
        (unlabeled_test_images, "neither val/ nor test/ (no class folders in test/)"),
        (splits_in_classes, "put the splits first, as in test/bottle/"),
        (detection, "named as splits, but without class folders"),
        (a_missing_class, "it lacks c; give both the same class folders"),
    ],
)
def test_an_ambiguous_layout_is_refused_by_name(
    tmp_path: Path, load: Load, write: "object", reason: str
) -> None:
    write(tmp_path)  # type: ignore[operator]
    with pytest.raises(DataError) as caught:
        load(tmp_path)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_folders_with_equal_subfolders_give_a_warning(tmp_path: Path, load: Load) -> None:
    data, notes = load(fill_splits(tmp_path, ("photo", "sketch")))
    assert data.classes == ("photo", "sketch")
    assert any(note.startswith("warning: photo/, sketch/ are taken for classes") for note in notes)


def test_an_empty_split_is_reported(tmp_path: Path, load: Load) -> None:
    fill_splits(tmp_path, ("train", "test"))
    (tmp_path / "val").mkdir()
    assert "folders without images left out: val/" in load(tmp_path)[1]


@given(st.lists(st.text(max_size=20), max_size=6))
def test_any_folder_names_are_handled(names: list[str]) -> None:
    assert set(split_names(names).values()) <= {"train", "val", "test"}
