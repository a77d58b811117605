"""The class of every output of a teacher: matched by name, checked on its predictions."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import diswot
from diswot.errors import OptionError, TeacherError
from diswot.progress import Step
from diswot.tasks.images import ImageData, ImageSpec, Split
from diswot.tasks.images.teachers import check_trained, find_teacher
from diswot.tasks.images.teachers._class_order import class_order, labels_in

TEXT = ("0", "1", "10", "11", "2", "3", "4", "5", "6", "7", "8", "9")
NATURAL = tuple(map(str, range(12)))
ANIMALS = ("ant", "bee", "cat", "dog")


@pytest.mark.parametrize(
    ("names", "classes", "labels"),
    [
        (("cat", "ant", "dog", "bee"), ANIMALS, (2, 0, 3, 1)),
        (("Cat", "ANT", "dog ", "Bee"), ANIMALS, (2, 0, 3, 1)),
        (("sea_lion", "T-Shirt"), ("t shirt", "Sea Lion"), (1, 0)),
        (("Feline, cat", "ant, emmet"), ("emmet", "cat"), (1, 0)),
        (("LABEL_2", "LABEL_0", "LABEL_1"), ("0", "1", "2"), (2, 0, 1)),
        (("class 03", "class 01", "class 02"), ("1", "2", "3"), (2, 0, 1)),
        (tuple(f"LABEL_{i}" for i in range(12)), TEXT, labels_in("natural", TEXT)),
        (tuple(f"LABEL_{i}" for i in range(4)), ANIMALS, (0, 1, 2, 3)),
        (("x", "y", "z", "w"), ANIMALS, (0, 1, 2, 3)),
        (("Ant", "ant", "cat", "dog"), ANIMALS, (0, 1, 2, 3)),
    ],
    ids=[
        *("exact", "case and spaces", "punctuation", "synonyms", "numbers", "numbers from 1"),
        *("defaults, numbered folders", "defaults, named folders", "other names", "ambiguous"),
    ],
)
def test_outputs_are_matched_to_classes(
    names: Sequence[str], classes: Sequence[str], labels: tuple[int, ...]
) -> None:
    order, _ = class_order(names, classes, num_classes=len(classes))
    assert order.labels == labels


def test_an_unknown_order_is_reported_with_the_assumed_one() -> None:
    for names in (None, ("w", "x", "y", "z")):
        _, (note,) = class_order(names, ANIMALS, num_classes=4)
        assert "in the order of the data's classes, ant, bee, cat, dog" in note


@pytest.mark.parametrize("form", ["names", "lines", "list", "id2label", "text of a list"])
def test_the_order_of_the_outputs_can_be_given(tmp_path: Path, form: str) -> None:
    names = ["dog", "Bee", "ant", "cat"]
    path = tmp_path / ("classes.txt" if form == "lines" else "config.json")
    if form == "lines":
        path.write_text("\n".join(names) + "\n", encoding="utf-8")
    else:
        labels = {"id2label": {str(i): name for i, name in enumerate(names)}}
        path.write_text(json.dumps(labels if form == "id2label" else names))
    given = {"names": names, "text of a list": json.dumps(names)}.get(form, path)
    order, _ = class_order(None, ANIMALS, num_classes=4, named=given)
    assert order.labels == (3, 1, 0, 2)


@pytest.mark.parametrize(
    ("named", "words"),
    [
        (["ant", "bee", "cat", "cow"], "have 'cow', but the data's are ant, bee, cat, dog"),
        (["ant", "bee"], "names of 4 classes, but got 2 names"),
        ("alphabetical", "data, text, natural or a file of names, but got 'alphabetical'"),
        ("[1, ", "are not a JSON list"),
    ],
)
def test_an_invalid_order_is_refused(named: Sequence[str], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        class_order(None, ANIMALS, num_classes=4, named=named)


def colored(classes: Sequence[str], count: int = 10) -> ImageData:
    """Return images whose first pixels encode the class."""
    labels = torch.arange(len(classes)).repeat(count)
    images = torch.rand(len(labels), 1, 4, 4, generator=torch.Generator().manual_seed(0)) / 4
    images.flatten(1).scatter_(1, labels[:, None], 1.0)
    spec = ImageSpec((1, 4, 4), len(classes), (0.0,), (1.0,), 1.0)
    split = Split(images, labels)
    return ImageData("colored", split, split, split, spec, classes=tuple(classes))


class Pixels(nn.Module):
    """A teacher whose output of class c is pixel c, in a given order."""

    def __init__(self, order: Sequence[int]) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 1, 1, bias=False)
        self.head = nn.Linear(16, len(order), bias=False)
        with torch.no_grad():
            self.stem.weight.fill_(1)
            self.head.weight.copy_(torch.eye(16)[list(order)])

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.head(self.stem(images).flatten(1))
        return logits


def test_a_wrong_order_is_refused_with_the_right_one() -> None:
    data = colored(TEXT)
    network = Pixels(labels_in("natural", TEXT))
    teacher = find_teacher(network, data.spec, classes=data.classes)
    with pytest.raises(TeacherError) as raised:
        check_trained(teacher, network, data)
    assert "17 % accuracy with its outputs in the order 0, 1, 10, 11, …" in str(raised.value)
    assert "100 % in natural order (0, 1, 2, 3, …)" in str(raised.value)
    assert "--teacher-classes natural" in str(raised.value)
    with pytest.raises(TeacherError, match="--teacher-classes natural"):
        diswot.score(["1-1-1"], network, data=data, teacher_state="trained", batch_size=8)
    with pytest.raises(TeacherError, match="--teacher-classes natural"):
        diswot.search(network, data=data, batch_size=8)


def test_the_order_is_also_checked_for_naturally_sorted_folders() -> None:
    data = colored(NATURAL)
    network = Pixels(labels_in("text", NATURAL))
    teacher = find_teacher(network, data.spec, classes=data.classes)
    with pytest.raises(TeacherError, match="--teacher-classes text"):
        check_trained(teacher, network, data)


@pytest.mark.parametrize("order", ["natural", "text"])
def test_a_given_order_is_used(order: str) -> None:
    data = colored(TEXT)
    network = Pixels(labels_in(order, TEXT))
    teacher = find_teacher(network, data.spec, classes=data.classes, teacher_classes=order)
    assert teacher.weights is not None
    weights = teacher.weights()
    assert torch.equal(weights(data.test.images).argmax(1), data.test.labels)
    check = check_trained(teacher, weights, data)
    assert check is not None
    assert check.accuracy == 1


def test_any_other_order_is_detected_and_reported() -> None:
    data = colored(ANIMALS, count=40)
    network = Pixels((2, 0, 3, 1))
    teacher = find_teacher(network, data.spec, classes=data.classes)
    steps: list[Step] = []
    check = check_trained(teacher, network, data, progress=steps.append)
    assert check is not None
    assert "100 % if they are in another order that begins with cat, ant, dog, bee" in str(
        check.reassigned
    )
    assert any("--teacher-classes FILE" in step.note for step in steps)
    with pytest.raises(TeacherError, match="--teacher-classes FILE"):
        diswot.distill(Pixels(range(4)), network, data=data, epochs=1)


def test_no_order_is_reported_for_an_untrained_teacher() -> None:
    data = colored(TEXT)
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(32, 12))
    teacher = find_teacher(network, data.spec, classes=data.classes)
    check = check_trained(teacher, network, data)
    assert check is not None
    assert check.better is None
    assert check.reassigned is None


class Convolutional(nn.Module):
    """A teacher whose classifier is not a linear layer."""

    def __init__(self, order: Sequence[int]) -> None:
        super().__init__()
        self.network = Pixels(order)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.network(images) * 2
        return logits


def test_outputs_without_a_linear_layer_are_reordered() -> None:
    data = colored(ANIMALS)
    teacher = find_teacher(
        Convolutional((2, 0, 3, 1)),
        data.spec,
        classes=data.classes,
        teacher_classes=["cat", "ant", "dog", "bee"],
    )
    assert teacher.weights is not None
    assert torch.equal(teacher.weights()(data.test.images).argmax(1), data.test.labels)


def test_an_order_for_a_teacher_without_weights_is_refused() -> None:
    with pytest.raises(OptionError, match="leave --teacher-classes out"):
        find_teacher("resnet20", colored(ANIMALS).spec, teacher_classes="natural")
