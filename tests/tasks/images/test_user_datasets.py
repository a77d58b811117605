"""Datasets that users pass, and the official archives."""

import gzip
import io
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import diswot
from diswot.errors import DataError
from tests.cli.test_bad_data import batch, pickled
from tests.conftest import CommandLine
from tests.tasks.images.conftest import Load, fill, save


class PILImages:
    """A dataset of PIL images, like one that decodes files."""

    def __init__(self, *images: Image.Image, classes: Any = None) -> None:
        self.images = images
        if classes is not None:
            self.classes = classes

    def __len__(self) -> int:
        return 40

    def __getitem__(self, index: int) -> tuple[Image.Image, int]:
        return self.images[index % len(self.images)], index % 2


def test_a_name_may_stand_for_a_folder_of_photos(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no folder tiny-imagenet-20 in the data root"):
        diswot.load_data("tiny-imagenet-20", root=tmp_path)
    for split, count in (("train", 12), ("val", 4)):
        fill(tmp_path / "tiny-imagenet-20" / split, count=count)
    data = diswot.load_data("tiny-imagenet-20", root=tmp_path, image_size=8)
    assert (data.name, data.shape, len(data.test)) == ("tiny-imagenet-20", (3, 8, 8), 8)


def test_pil_images_are_resized_to_the_size_of_the_first() -> None:
    gray, colored = Image.new("L", (8, 6), 7), Image.new("RGB", (16, 12), (1, 2, 3))
    assert diswot.load_data(PILImages(gray)).shape == (1, 6, 8)
    data = diswot.load_data(PILImages(gray, colored))
    assert data.shape == (3, 6, 8)
    colors = set(map(tuple, data.train.images[:, :, 3, 3].tolist()))
    assert colors == {(7, 7, 7), (1, 2, 3)}
    assert diswot.load_data(PILImages(gray), image_size=5).shape == (1, 5, 5)
    both = diswot.load_data((PILImages(colored), PILImages(gray)))
    assert both.test.images.shape == (40, 3, 12, 16)


def test_class_names_are_read_from_the_dataset() -> None:
    image = Image.new("L", (8, 8))
    data = diswot.load_data(PILImages(image, classes=["cat", "dog", "emu"]))
    assert data.classes == ("cat", "dog", "emu")
    assert data.num_classes == 3
    assert diswot.load_data(PILImages(image)).classes is None
    with pytest.raises(DataError, match="2 classes, but its attribute classes names 1"):
        diswot.load_data(PILImages(image, classes=["cat"]))


def archive(path: Path, folder: str, batches: dict[str, bytes]) -> None:
    with tarfile.open(path, "w:gz") as members:
        for name, content in batches.items():
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size = len(content)
            members.addfile(member, io.BytesIO(content))


def test_an_official_cifar100_archive_is_read_unpacked_or_not(tmp_path: Path) -> None:
    names = pickled({b"fine_label_names": [b"c%d" % i for i in range(100)]})
    batches = {"train": pickled(batch()), "test": pickled(batch()), "meta": names}
    archive(tmp_path / "cifar-100-python.tar.gz", "cifar-100-python", batches)
    from_archive = diswot.load_data("cifar100", root=tmp_path)
    assert from_archive.classes is not None
    assert from_archive.classes[:2] == ("c0", "c1")
    (tmp_path / "cifar-100-python").mkdir()
    for name, content in batches.items():
        (tmp_path / "cifar-100-python" / name).write_bytes(content)
    (tmp_path / "cifar-100-python.tar.gz").unlink()
    assert diswot.load_data("cifar100", root=tmp_path).digest == from_archive.digest


def test_an_official_cifar10_archive_is_read(tmp_path: Path) -> None:
    first = pickled(batch() | {b"batch_label": b"training batch 1 of 1"})
    batches = {"data_batch_1": first, "test_batch": pickled(batch())}
    archive(tmp_path / "cifar-10-python.tar.gz", "cifar-10-batches-py", batches)
    assert len(diswot.load_data("cifar10", root=tmp_path).test) == 40


@pytest.mark.slow
@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_decompression_bomb_is_refused(kind: bytes, tmp_path: Path) -> None:
    path = tmp_path / "cifar-100-python.tar.gz"
    member = tarfile.TarInfo("cifar-100-python/train")
    member.type, member.size = kind, 2**28
    zeros = gzip.compress(bytes(2**20))
    path.write_bytes((gzip.compress(member.tobuf()) + zeros * 2**8) * 3)
    with pytest.raises(DataError, match="unpacks to more than 256 MiB"):
        diswot.load_data("cifar100", root=tmp_path)


@pytest.mark.parametrize("damage", ["cut", "text", "a batch is missing"])
def test_a_damaged_archive_is_refused(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "cifar-100-python.tar.gz"
    rng = np.random.default_rng(0)
    noisy = batch() | {b"data": rng.integers(0, 256, (40, 3072), np.uint8)}
    archive(path, "cifar-100-python", {"train": pickled(noisy)})
    if damage != "a batch is missing":
        path.write_bytes(path.read_bytes()[:5000] if damage == "cut" else b"no archive")
    with pytest.raises(DataError, match=r"is (damaged|missing)") as caught:
        diswot.load_data("cifar100", root=tmp_path)
    assert str(path) in str(caught.value)


def test_an_incomplete_list_of_cifar_class_names_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "cifar-100-python"
    folder.mkdir()
    for name in ("train", "test"):
        (folder / name).write_bytes(pickled(batch()))
    (folder / "meta").write_bytes(pickled({b"fine_label_names": [b"one"]}))
    with pytest.raises(DataError, match="does not name 100 classes"):
        diswot.load_data("cifar100", root=tmp_path)


def test_the_command_line_reports_the_properties_of_a_folder(
    cli: CommandLine, tmp_path: Path
) -> None:
    fill(tmp_path / "fruit", count=12)
    command = ("score", "1-1-1", "--space", "s0", "--teacher", "resnet20")
    quick = ("--repeats", "1", "--batch-size", "8", "--image-size", "8")
    outcome = cli(*command, *quick, "--data", "fruit")
    assert outcome.code == 0, outcome.err
    assert "data: images in color, 8×8 as requested" in outcome.err
    assert "8×8" not in outcome.out
    (wrong,) = cli(*command, "--data", "./fruits").err.splitlines()
    assert "no folder fruits" in wrong


def test_a_built_in_name_takes_precedence_over_a_folder(
    tmp_path: Path, load: Load, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    fill(tmp_path / "digits")
    assert load("digits")[0].num_classes == 10
    assert load("./digits")[0].num_classes == 2


def test_memory_mapped_images_can_be_trained_on(tmp_path: Path, load: Load) -> None:
    data, _ = load(fill(tmp_path / "fruit", count=12))
    student = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(4, 2),
    )
    report = diswot.distill(student, None, data=data, loss="alone", epochs=1)
    assert report.test.n == len(data.test)


def test_a_search_on_a_folder_resumes_without_naming_it_again(
    cli: CommandLine, tmp_path: Path
) -> None:
    for name, shade in (("a", 10), ("b", 200)):
        for i in range(12):
            save(tmp_path / "gray" / name / f"{i}.png", shade + i)
    mine = ("--data", "gray", "--image-size", "8", "--space", "tests.cli.faulty:Small")
    quick = ("--teacher", "resnet20", "--population", "2", "--repeats", "1", "--batch-size", "8")
    started = cli("search", *mine, *quick, "--generations", "0", "--out", "r")
    assert started.code == 0, started.err
    outcome = cli("resume", "r", *mine[4:], "--generations", "1")
    assert outcome.code == 0, outcome.err
    other = cli("resume", "r", *mine[:2], "--image-size", "9", *mine[4:]).err
    assert "the data is not that of the run" in other


def test_normalization_does_not_depend_on_the_number_of_threads() -> None:
    before = torch.get_num_threads()
    try:
        found = []
        for threads in (1, 2):
            torch.set_num_threads(threads)
            found.append(diswot.load_data("digits").digest)
    finally:
        torch.set_num_threads(before)
    assert found[0] == found[1]
