"""Typical data of users: formats and layouts, each as a small input."""

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import ConcatDataset, Subset, TensorDataset, random_split

import diswot
from diswot.errors import DataError
from tests.conftest import CommandLine
from tests.tasks.images.conftest import Load, fill, pixels_of, save


def test_medical_scans_of_12_bits(tmp_path: Path, load: Load) -> None:
    """Gray PNG of 16 bits from a scanner that fills 12: 4,095 is white, not almost black."""
    rng = np.random.default_rng(0)
    for name in ("benign", "malignant"):
        (tmp_path / name).mkdir()
        for i in range(6):
            scan = rng.integers(0, 4096, (12, 12), dtype=np.uint16)
            scan[0, 0] = 4095
            Image.fromarray(scan).save(tmp_path / name / f"{i}.png")
    data, notes = load(tmp_path)
    assert data.shape == (1, 12, 12)
    assert pixels_of(data).max() == 255
    assert abs(data.spec.mean[0] - 0.5) < 0.05
    assert "images of more than 8 bits, scaled to 8 (gray ones from 12): 12" in notes
    (original,) = data.originals["test"].read([0], least=12)
    assert torch.equal((original * 255).round().byte(), data.test.images[0])


def test_a_competition_with_unlabeled_test_images(tmp_path: Path, load: Load) -> None:
    """`train/` with classes, `val/` with classes, `test/` without: `val/` is evaluated on."""
    fill(tmp_path / "train", count=12)
    fill(tmp_path / "val", count=4)
    for i in range(3):
        save(tmp_path / "test" / f"{i}.jpg")
    (tmp_path / "sample_submission.csv").write_text("id,label\n")
    data, notes = load(tmp_path)
    assert [len(split) for split in (data.train, data.val, data.test)] == [22, 2, 8]
    assert "folders of images without classes left out, 1: test" in notes


def test_a_folder_unpacked_on_a_mac(tmp_path: Path, load: Load) -> None:
    """A zip archive with `__MACOSX/`, `._*` and `.DS_Store`, unpacked into its own folder."""
    fill(tmp_path / "pets", ["cat", "dog"], count=6)  # type: ignore[arg-type]
    with zipfile.ZipFile(tmp_path / "pets.zip", "w") as archive:
        for path in sorted((tmp_path / "pets").rglob("*.png")):
            inside = path.relative_to(tmp_path)
            archive.write(path, inside)
            archive.writestr(f"__MACOSX/{inside.parent}/._{inside.name}", b"\0\5\x16\7")
        archive.writestr("pets/.DS_Store", b"\0")
    with zipfile.ZipFile(tmp_path / "pets.zip") as archive:
        archive.extractall(tmp_path / "unpacked")
    data, notes = load(tmp_path / "unpacked")
    assert data.classes == ("cat", "dog")
    assert len(pixels_of(data)) == 12
    assert "read from pets/" in notes


def test_a_folder_of_links_on_a_cluster(tmp_path: Path, load: Load) -> None:
    """Classes are links to a store with a missing file and a link to itself."""
    store = fill(tmp_path / "store", ["x17", "x18"], count=8)  # type: ignore[arg-type]
    for name, target in (("cat", "x17"), ("dog", "x18")):
        (tmp_path / "view").mkdir(exist_ok=True)
        (tmp_path / "view" / name).symlink_to(store / target)
    (store / "x17" / "gone.png").symlink_to("/nowhere.png")
    (store / "x18" / "self.png").symlink_to("self.png")
    data, notes = load(tmp_path / "view")
    assert data.classes == ("cat", "dog")
    assert len(pixels_of(data)) == 16
    assert any(note.startswith("unreadable images left out, 2: cat/gone.png") for note in notes)


def test_years_as_classes(tmp_path: Path, load: Load) -> None:
    """Folders `-1`, `5`, `10`, `2009`: classes in the order of the numbers."""
    names = ["10", "2009", "-1", "5"]
    data, _ = load(fill(tmp_path, names, count=4))  # type: ignore[arg-type]
    assert data.classes == ("-1", "5", "10", "2009")


def test_a_dataset_from_random_split(tmp_path: Path) -> None:
    """`random_split` of a concatenation of datasets: a pair (training, test)."""
    labels = torch.arange(60) % 3
    parts = [TensorDataset(torch.rand(60, 3, 8, 8), labels) for _ in range(2)]
    whole: Any = ConcatDataset(parts)
    train, test = random_split(whole, [90, 30], torch.Generator().manual_seed(0))
    data = diswot.load_data((train, test))
    assert [len(split) for split in (data.train, data.val, data.test)] == [81, 9, 30]
    assert isinstance(train, Subset)


def test_labels_that_start_at_one() -> None:
    """Labels 1 to 5, as in MATLAB: class 0 is reported as empty."""
    notes: list[str] = []
    dataset = TensorDataset(torch.rand(50, 3, 8, 8), torch.arange(50) % 5 + 1)
    data = diswot.load_data(dataset, progress=lambda step: notes.append(step.note))
    assert data.num_classes == 6
    assert "1 classes have no image in train: 0" in notes


def test_pixels_of_0_to_255_as_floats() -> None:
    """Float images that were not divided by 255 are read as 0 to 255."""
    pixels = torch.randint(0, 256, (60, 3, 8, 8))
    labels = torch.arange(60) % 2
    floats = diswot.load_data(TensorDataset(pixels.float(), labels))
    bytes_ = diswot.load_data(TensorDataset(pixels.byte(), labels))
    assert floats.spec == bytes_.spec
    assert any("divided by 255" in note for note in floats.notes)


def test_the_same_photo_in_training_and_test(tmp_path: Path, load: Load) -> None:
    """A photo saved as PNG in one split and as BMP in another is reported."""
    fill(tmp_path / "train", count=8)
    fill(tmp_path / "test", count=4, suffix=".bmp")
    _, notes = load(tmp_path)
    assert "warning: 8 of 8 test images are train images too, pixel for pixel" in notes


def test_faces_of_people_by_their_names(tmp_path: Path, load: Load) -> None:
    """Folders with spaces, accents, and letters beyond ASCII are the classes' names."""
    names = ["José Álvarez", "李雷", "Anna  Smith", "a'b\"c"]
    data, notes = load(fill(tmp_path, names, count=4))  # type: ignore[arg-type]
    assert data.classes == tuple(sorted(names))
    assert any("李雷 2/1/1" in note for note in notes)


def test_splits_are_printed_before_the_search(cli: CommandLine, tmp_path: Path) -> None:
    """`diswot score` on `Training/` and `Testing/` prints the number of images per class."""
    for name, count in (("Training", 20), ("Testing", 5)):
        fill(tmp_path / "brain" / name, ["glioma", "none"], count=count)  # type: ignore[arg-type]
    quick = ("--scorer", "params", "--repeats", "1", "--batch-size", "4")
    outcome = cli("score", "1-1-1", "--space", "s0", *quick, "--data", "./brain")
    assert outcome.code == 0, outcome.err
    assert "2 classes, images in train/val/test: glioma 18/2/5, none 18/2/5" in outcome.err
    assert "folders taken as splits: Training/ for train, Testing/ for test" in outcome.err


def test_a_detection_dataset_is_refused(tmp_path: Path, load: Load) -> None:
    """A detection dataset (`images/train`, `labels/train`) is refused in one line, not misread."""
    for split in ("train", "val"):
        save(tmp_path / "images" / split / "1.jpg")
        (tmp_path / "labels" / split).mkdir(parents=True)
        (tmp_path / "labels" / split / "1.txt").write_text("0 .5 .5 1 1\n")
    (tmp_path / "data.json").write_text(json.dumps({"names": ["cat"]}))
    with pytest.raises(DataError, match="named as splits, but without class folders"):
        load(tmp_path)


def test_a_pipe_among_photos_does_not_hang(cli: CommandLine, tmp_path: Path) -> None:
    """A named pipe `camera.jpg` in a class folder is left out by name."""
    fill(tmp_path / "shots", count=8)
    os.mkfifo(tmp_path / "shots" / "a" / "camera.jpg")
    quick = ("--scorer", "params", "--repeats", "1", "--batch-size", "4")
    outcome = cli("score", "1-1-1", "--space", "s0", *quick, "--data", "./shots")
    assert outcome.code == 0, outcome.err
    assert "a/camera.jpg (a named pipe)" in outcome.err
