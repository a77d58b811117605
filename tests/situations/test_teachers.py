"""Typical teachers of users: their checkpoints, names and folders."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from diswot.errors import DiswotError
from diswot.tasks.images import ImageData, ImageSpec, Split
from diswot.tasks.images.teachers import check_trained, find_teacher

FRUIT = ("apple", "fig", "kiwi")


def fruit(classes: Sequence[str] = FRUIT, count: int = 20) -> ImageData:
    """Return images whose brightest pixel is the class."""
    labels = torch.arange(len(classes)).repeat(count)
    images = torch.rand(len(labels), 1, 4, 4, generator=torch.Generator().manual_seed(0)) / 4
    images.flatten(1).scatter_(1, labels[:, None], 1.0)
    split = Split(images, labels)
    spec = ImageSpec((1, 4, 4), len(classes), (0.0,), (1.0,), 1.0)
    return ImageData("fruit", split, split, split, spec, classes=tuple(classes))


def network(order: Sequence[int] = (0, 1, 2)) -> nn.Sequential:
    """Return a trained teacher whose output of class c is pixel `order[c]`."""
    stem, head = nn.Conv2d(1, 1, 1, bias=False), nn.Linear(16, len(order))
    with torch.no_grad():
        stem.weight.fill_(1)
        head.weight.copy_(torch.eye(16)[list(order)])
        head.bias.zero_()
    return nn.Sequential(stem, nn.BatchNorm2d(1), nn.Flatten(), head).eval()


def accuracy(teacher: Any, data: ImageData) -> float:
    right: Tensor = teacher.weights().eval()(data.test.images).argmax(1) == data.test.labels
    return float(right.float().mean())


def test_a_lightning_checkpoint_of_a_compiled_network(tmp_path: Path) -> None:
    """A `.ckpt` of Lightning 2 whose module was `self.net = torch.compile(net)`."""
    state = {f"net._orig_mod.{name}": tensor for name, tensor in network().state_dict().items()}
    torch.save(
        {"state_dict": {**state, "val_acc.total": torch.ones(1)}, "loops": {}, "epoch": 9},
        tmp_path / "last.ckpt",
    )
    data = fruit()
    teacher = find_teacher(network((2, 1, 0)), data.spec, weights=tmp_path / "last.ckpt")
    assert accuracy(teacher, data) == 1
    assert "last.ckpt: tensors outside net._orig_mod. not used: 1" in teacher.notes


def test_a_checkpoint_in_bfloat16_next_to_its_average(tmp_path: Path) -> None:
    """`{"model": …, "ema": …}` saved in half precision by a script on a GPU."""
    half = {
        n: t.bfloat16() if t.is_floating_point() else t for n, t in network().state_dict().items()
    }
    torch.save({"model": half, "ema": half}, tmp_path / "best.pth")
    data = fruit()
    teacher = find_teacher(network((2, 1, 0)), data.spec, weights=tmp_path / "best.pth")
    assert accuracy(teacher, data) == 1
    assert len(teacher.notes) == 2


def test_a_labels_file_in_the_order_of_the_outputs(tmp_path: Path) -> None:
    """A `labels.txt` in Title Case, in the order of the outputs, for `--teacher-classes`."""
    (tmp_path / "labels.txt").write_text("Kiwi\r\nApple\r\nFig\r\n", encoding="utf-8-sig")
    data = fruit()
    teacher = find_teacher(
        network((2, 0, 1)),
        data.spec,
        classes=data.classes,
        teacher_classes=tmp_path / "labels.txt",
    )
    assert accuracy(teacher, data) == 1


def test_a_teacher_trained_with_image_folder_on_numbered_days() -> None:
    """Folders `day 1` … `day 12` that torchvision's ImageFolder sorted as text."""
    natural = [f"day {number}" for number in range(1, 13)]
    data = fruit(natural)
    text = sorted(range(12), key=lambda label: natural[label])
    teacher = find_teacher(network(text), data.spec, classes=data.classes)
    with pytest.raises(DiswotError, match="--teacher-classes text"):
        check_trained(teacher, network(text), data)
    named = find_teacher(network(text), data.spec, classes=data.classes, teacher_classes="text")
    assert accuracy(named, data) == 1


def test_a_trainer_checkpoint_folder_instead_of_a_file(tmp_path: Path) -> None:
    """`--teacher-weights output/checkpoint-500`, a folder with `pytorch_model.bin`."""
    torch.save(network().state_dict(), tmp_path / "pytorch_model.bin")
    (tmp_path / "trainer_state.json").write_text(json.dumps({"epoch": 3}))
    data = fruit()
    teacher = find_teacher(network((2, 1, 0)), data.spec, weights=tmp_path)
    assert accuracy(teacher, data) == 1


def test_an_optimizer_state_instead_of_the_weights(tmp_path: Path) -> None:
    """`optimizer.pt` of the same folder, given by mistake."""
    made = network()
    torch.save(torch.optim.AdamW(made.parameters()).state_dict(), tmp_path / "optimizer.pt")
    with pytest.raises(DiswotError, match="holds no state dict of tensors, but the keys state"):
        find_teacher(network(), fruit().spec, weights=tmp_path / "optimizer.pt")


def test_a_checkpoint_from_a_pipe_is_refused(tmp_path: Path) -> None:
    """`--teacher-weights <(curl …)`: a pipe is refused immediately."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DiswotError, match="pipe"):
        find_teacher(network(), fruit().spec, weights=tmp_path / "pipe")
