"""User-defined datasets: supported forms of items, labels and pixel values."""

import dataclasses
import io
from collections import namedtuple
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, IterableDataset, Subset, TensorDataset

import diswot
from diswot.errors import DataError
from diswot.tasks.images import ImageData
from tests.tasks.images.conftest import pixels_of

COUNT = 40


class Items:
    """A dataset whose items a function computes from the index."""

    def __init__(self, make: Callable[[int], Any], count: int = COUNT, **attributes: Any) -> None:
        self.make, self.count = make, count
        vars(self).update(attributes)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, place: int) -> Any:
        return self.make(place)


def pil_image(place: int) -> Image.Image:
    return Image.new("RGB", (8, 6), (5 * place, 7, 9))


def encoded(place: int) -> bytes:
    file = io.BytesIO()
    pil_image(place).save(file, "PNG")
    return file.getvalue()


def array(place: int) -> "np.ndarray[Any, Any]":
    return np.asarray(pil_image(place))


def tensor(place: int) -> torch.Tensor:
    return torch.from_numpy(array(place).transpose(2, 0, 1).copy())


Sample = namedtuple("Sample", ["label", "image"])


@dataclasses.dataclass
class Record:
    """An item as a record."""

    img: Any
    target: int


FORMS: dict[str, Callable[[int], Any]] = {
    "image and label": lambda i: {"image": pil_image(i), "label": i % 2},
    "img and fine_label": lambda i: {"img": pil_image(i), "fine_label": i % 2, "coarse_label": 0},
    "pixel_values": lambda i: {"pixel_values": tensor(i), "labels": torch.tensor(i % 2)},
    "other names": lambda i: {"scan": pil_image(i), "diagnosis": i % 2, "path": "x.png"},
    "not decoded": lambda i: {"image": {"bytes": encoded(i), "path": None}, "label": i % 2},
    "three parts": lambda i: (pil_image(i), i % 2, {"path": "x.png"}),
    "a list": lambda i: [pil_image(i), i % 2],
    "named tuple": lambda i: Sample(i % 2, pil_image(i)),
    "record": lambda i: Record(pil_image(i), i % 2),
    "bytes": lambda i: (encoded(i), i % 2),
    "channels last": lambda i: (array(i), np.int64(i % 2)),
    "channels first": lambda i: (array(i).transpose(2, 0, 1), i % 2),
    "tensor channels last": lambda i: (torch.from_numpy(array(i).copy()), i % 2),
    "batch of one": lambda i: (tensor(i).unsqueeze(0), torch.tensor([i % 2])),
    "16-bit integers": lambda i: (tensor(i).to(torch.int16), i % 2),
    "one-hot": lambda i: (pil_image(i), [1 - i % 2, i % 2]),
    "names": lambda i: (pil_image(i), "ab"[i % 2]),
    "floats": lambda i: (pil_image(i), float(i % 2)),
    "big-endian": lambda i: (array(i).astype(">u2"), i % 2),
}


@pytest.mark.parametrize("form", FORMS)
def test_items_of_any_usual_form_give_the_same_data(form: str) -> None:
    expected = diswot.load_data(Items(lambda i: (pil_image(i), i % 2)))
    assert diswot.load_data(Items(FORMS[form])).digest == expected.digest


def test_the_form_of_items_is_reported() -> None:
    data = diswot.load_data(Items(FORMS["img and fine_label"]))
    assert (
        "items of Items are dictionaries: image from 'img', class from 'fine_label'" in data.notes
    )
    assert "labels of Items are one-hot vectors" in diswot.load_data(Items(FORMS["one-hot"])).notes


def raising(place: int) -> Any:
    if place == 7:
        raise OSError("no such shard\nand more")
    return pil_image(place), 0


class Stream(IterableDataset[Any]):
    """An iterable dataset without indices."""

    def __iter__(self) -> Iterator[Any]:
        return iter(())


REFUSED: dict[str, tuple[Any, str]] = {
    "raises": (Items(raising), "reading item 7 of Items raised OSError: no such shard; fix"),
    "other keys": (
        Items(lambda i: {"text": "x", "label": 0}),
        r"dictionaries of 'text', 'label', none of which is a known name for the image \(item 0\)",
    ),
    "columns": ({"image": [1], "label": [1]}, "no training dataset among 'image', 'label'"),
    "no pair": (Items(pil_image), r"but got Image .* \(item 0\)"),
    "a path": (Items(lambda i: ("a.png", 0)), "an image that is str 'a.png'"),
    "bad bytes": (Items(lambda i: (b"GIF", 0)), "bytes that are not an image"),
    "arrays": ((np.zeros((9, 8, 8)), np.zeros(9)), r"TensorDataset\(images, classes\)"),
    "stream": (Stream(), "got Stream: read it into a list first"),
    "loader": (DataLoader(Items(pil_image)), "got DataLoader: give its dataset"),  # type: ignore[arg-type]
    "iterator": (iter([1]), "got list_iterator"),
    "no items": (Items(pil_image, count=0), "Items has no items"),
    "too long": (
        Items(lambda i: [(pil_image(0), 0)][i]),
        "reading item 1 of Items raised IndexError",
    ),
    "unclear channels": (
        Items(lambda i: (np.zeros((3, 8, 3)), 0)),
        "whose channel axis is not known",
    ),
    "two sizes": (
        Items(lambda i: (torch.zeros(3, 8 + i // 5, 8), 0)),
        r"got item 5 of \(3, 9, 8\) torch.float32 after \(3, 8, 8\)",
    ),
    "soft labels": (Items(lambda i: (pil_image(i), [0.5, 0.5])), "40 of 40 labels .* not one-hot"),
    "several classes": (Items(lambda i: (pil_image(i), [1, 1])), "not one-hot"),
    "half": (Items(lambda i: (pil_image(i), i % 2 / 2)), "20 of 40 labels .* at item 1: 0.5"),
    "none": (Items(lambda i: (pil_image(i), None if i > 4 else 0)), "35 of 40 .* item 5: None"),
    "negative": (Items(lambda i: (pil_image(i), i % 4 - 1)), "10 of 40 labels .* item 0: -1"),
    "mixed": (Items(lambda i: (pil_image(i), "a" if i else 0)), "mix numbers and names"),
    "far": (Items(lambda i: (pil_image(i), 10**9 * (i % 2))), "go up to 1,000,000,000, but only 2"),
    "unnamed": (
        Items(lambda i: (pil_image(i), "abc"[i % 3]), classes=["a", "b"]),
        "has the label 'c', which is not one of its classes",
    ),
    "untrained": (
        (Items(lambda i: (pil_image(i), i % 2)), Items(lambda i: (pil_image(i), i % 3))),
        "1 classes in test that no training image has, such as 2",
    ),
    "nan": (
        TensorDataset(
            torch.where(
                torch.arange(40).view(-1, 1, 1, 1) > 29, torch.nan, torch.rand(40, 1, 8, 8)
            ),
            torch.arange(40) % 2,
        ),
        r"10 of 40 train images of TensorDataset have values that are not finite .* at 30",
    ),
    "two types": (
        (Items(lambda i: (tensor(i), i % 2)), Items(lambda i: (tensor(i).float(), i % 2))),
        "images of float32 and uint8 in its splits",
    ),
    "two ranges": (
        (Items(lambda i: (tensor(i) / 255, i % 2)), Items(lambda i: (tensor(i).float(), i % 2))),
        "pixel values up to .* in train and up to 195 in test",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_invalid_dataset_is_a_one_line_error(case: str) -> None:
    data, reason = REFUSED[case]
    with pytest.raises(DataError, match=reason) as caught:
        diswot.load_data(data)
    assert "\n" not in str(caught.value)


def of_values(values: torch.Tensor) -> ImageData:
    """Return images (n, 1, 2, 2) with these pixel values."""
    images = values.view(1, 1, 2, 2).expand(COUNT, -1, -1, -1)
    return diswot.load_data(TensorDataset(images, torch.arange(COUNT) % 2))


RANGES = {
    "0 to 1": (torch.tensor([0, 0.25, 0.5, 1]), 1.0, ""),
    "floats of 8 bits": (torch.tensor([0, 7.5, 128, 255]), 255.0, "float32 from 0 to 255"),
    "standardized": (torch.tensor([-2.0, 0, 1, 2]), 1.0, "from -2 to 2, taken as they are"),
    "half precision": (torch.tensor([0, 0.5, 0.5, 1]).half(), 1.0, ""),
    "16 bits": (torch.tensor([0, 9, 4096, 65535]), 65535.0, "taken as 16-bit"),
    "integers of 8 bits": (torch.tensor([0, 9, 90, 255]), 255.0, "taken as 8-bit"),
    "truth": (torch.tensor([True, False, True, True]), 255.0, ""),
    "8 bits of 0 and 1": (torch.tensor([0, 1, 1, 0]).byte(), 255.0, "from 0 to 1 only"),
}


@pytest.mark.parametrize("case", RANGES)
def test_the_range_of_pixel_values_is_detected_and_reported(case: str) -> None:
    values, scale, message = RANGES[case]
    data = of_values(values)
    assert data.spec.scale == scale
    found = [note for note in data.notes if note.startswith("pixel values")]
    assert (message in found[0]) if message else not found
    normal = data.normalize(data.train.images)
    assert abs(float(normal.mean())) < 1e-4


def test_labels_with_gaps_are_reported() -> None:
    notes: list[str] = []
    data = diswot.load_data(
        Items(lambda i: (pil_image(i), (0, 1, 5)[i % 3])),
        progress=lambda step: notes.append(step.note),
    )
    assert data.num_classes == 6
    assert "3 classes have no image in train: 2, 3, 4" in notes


@pytest.mark.parametrize(
    ("classes", "each", "sizes"), [(100, 8, (540, 100, 160)), (10, 5, (30, 10, 10))]
)
def test_few_images_per_class_are_split_as_in_folders(
    classes: int, each: int, sizes: tuple[int, ...]
) -> None:
    labels = torch.arange(classes * each) % classes
    data = diswot.load_data(TensorDataset(torch.rand(len(labels), 1, 4, 4), labels))
    splits = (data.train, data.val, data.test)
    assert tuple(map(len, splits)) == sizes
    assert all(len(set(split.labels.tolist())) == classes for split in splits)


def test_the_error_names_classes_with_too_few_images() -> None:
    labels = torch.tensor([0] * 20 + [1])
    with pytest.raises(DataError, match="too few images of the classes 1 to hold some out"):
        diswot.load_data(TensorDataset(torch.rand(21, 1, 4, 4), labels))


def test_datasets_by_split_are_accepted() -> None:
    def part(start: int, count: int) -> Items:
        return Items(lambda i: (tensor(start + i), i % 2), count=count)

    splits = {"train": part(0, 20), "validation": part(20, 4), "test": part(24, 6)}
    data = diswot.load_data(splits)
    assert [len(split) for split in (data.train, data.val, data.test)] == [20, 4, 6]
    assert diswot.load_data(tuple(splits.values())).digest == data.digest
    with pytest.raises(DataError, match="validation and dev both mean the validation split"):
        diswot.load_data(splits | {"dev": part(0, 4)})


def test_class_names_are_found_in_the_features_of_a_dataset() -> None:
    class ClassLabel:
        names = ("cat", "dog")

    features = {"image": object(), "label": ClassLabel()}
    whole = Items(FORMS["image and label"], features=features)
    assert diswot.load_data(whole).classes == ("cat", "dog")
    assert diswot.load_data(Subset(whole, range(30))).classes == ("cat", "dog")  # type: ignore[arg-type]


def test_a_reused_buffer_is_copied() -> None:
    buffer = torch.zeros(1, 4, 4)
    data = diswot.load_data(Items(lambda i: (buffer.fill_(i / COUNT), i % 2)))
    assert len(np.unique(pixels_of(data))) == COUNT
