"""The torch.export archive, int8 and the model card: content, and the code in the card."""

import copy
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import diswot
from diswot.errors import DiswotError, ExportError, OptionError
from diswot.export import Exported, read_exported
from diswot.tasks.images import ImageData, ImageSpec, load_data
from search_spaces import CifarResNet, SearchSpace
from tests.conftest import CommandLine
from tests.signatures import of_images

pytestmark = pytest.mark.processes

Trained = tuple[nn.Module, Exported]


@pytest.fixture(scope="module")
def digits() -> ImageData:
    return load_data("digits")


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory, digits: ImageData) -> Trained:
    """Return a briefly trained network and its export in all forms."""
    torch.manual_seed(0)
    student = CifarResNet((1, 1), num_classes=10, widths=(8, 8, 16), in_channels=1)
    diswot.distill(student, None, data=digits, loss="alone", epochs=3)
    folder = tmp_path_factory.mktemp("exported") / "student"
    return student, diswot.export(student, folder, data=digits, int8=True)


def test_all_forms_are_written_and_compute_the_same_outputs(exported: Trained) -> None:
    _, done = exported
    assert done.files == (
        "README.md",
        "config.json",
        "predict.py",
        "student.int8.onnx",
        "student.onnx",
        "student.pt2",
        "student.py",
        "weights.safetensors",
    )
    assert set(done.differences) == {"student.py", "student.pt2", "student.onnx"}
    assert max(done.differences.values()) <= 1e-5
    assert done.sizes == {name: (done.folder / name).stat().st_size for name in done.files}


def test_the_archive_takes_any_number_of_images(exported: Trained) -> None:
    student, done = exported
    network = torch.export.load(done.folder / "student.pt2").module()
    for count in (1, 5):
        images = torch.randn(count, 1, 16, 16)
        torch.testing.assert_close(network(images), student.eval()(images))


def test_every_form_has_the_reported_accuracy(exported: Trained, digits: ImageData) -> None:
    student, done = exported
    reported = digits.metrics[0].measure(student, digits, "test")
    assert [done.forms[form].measure for form in ("source", "pt2", "onnx")] == [reported] * 3
    int8 = done.forms["int8"]
    assert int8.measure is not None
    assert int8.difference is None
    assert abs(int8.measure.value - reported.value) < 0.05
    assert int8.measure.low > 0.15  # it has learned something
    assert int8.bytes < done.forms["onnx"].bytes
    assert all((form.milliseconds or 0) > 0 for form in done.forms.values())


def test_an_accuracy_other_than_reported_is_refused(
    exported: Trained, digits: ImageData, tmp_path: Path
) -> None:
    changed = copy.deepcopy(exported[0])
    with torch.no_grad():
        next(changed.parameters()).zero_()
    with pytest.raises(ExportError, match="was reported after training"):
        diswot.export(changed, tmp_path / "s", data=digits, onnx=False)
    assert not list(tmp_path.iterdir())


def test_a_copy_is_exported_like_the_student(exported: Trained, tmp_path: Path) -> None:
    student, done = exported
    others: list[Any] = [copy.deepcopy(student), torch.compile(student)]
    for number, other in enumerate(others):
        again = diswot.export(other, tmp_path / str(number), onnx=False)
        for file in ("student.py", "weights.safetensors"):
            assert (again.folder / file).read_bytes() == (done.folder / file).read_bytes()


def test_calibration_does_not_use_the_test_split(exported: Trained, digits: ImageData) -> None:
    student, done = exported
    blank = diswot.tasks.images.Split(torch.zeros_like(digits.test.images), digits.test.labels)
    others = ImageData("digits", digits.train, digits.val, blank, digits.spec)
    again = diswot.export(
        student, done.folder.with_name("again"), data=others, metrics={}, int8=True, pt2=False
    )
    first, second = ((each.folder / "student.int8.onnx").read_bytes() for each in (done, again))
    assert first == second


def test_accuracies_are_in_the_config_and_the_card(exported: Trained) -> None:
    _, done = exported
    config = json.loads((done.folder / "config.json").read_text())
    assert config["params"] == sum(p.numel() for p in exported[0].parameters())
    for name, form in done.forms.items():
        assert form.measure is not None
        assert config["forms"][name]["test_accuracy"] == form.measure.value
        assert config["forms"][name]["test_accuracy_95"] == [form.measure.low, form.measure.high]
    assert config["data"] == "digits"
    card = (done.folder / "README.md").read_text()
    for form in done.forms.values():
        row = f"| `{form.file}` | {form.measure} | {form.milliseconds:.3f} | {form.bytes:,} |"
        assert row in card
    assert f"{config['params']:,}" in card
    assert "with the loss `alone`, 3 epochs, seed 0" in card
    for name, size in done.sizes.items():
        assert name == "README.md" or f"| `{name}` | {size:,} |" in card
    assert card.count("---\n") >= 2
    assert f"value: {config['test_accuracy']}" in card.split("---\n")[1]


def test_the_code_in_the_card_runs(exported: Trained) -> None:
    folder = exported[1].folder
    blocks = re.findall(r"```python\n(.*?)```", (folder / "README.md").read_text(), re.DOTALL)
    assert len(blocks) == 4
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", "\n".join(blocks)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 4


def test_a_card_without_training_report_says_so(tmp_path: Path, digits: ImageData) -> None:
    student = CifarResNet((1,), num_classes=10, widths=(4, 4), in_channels=1)
    diswot.export(student, tmp_path / "s", signature=digits.signature, metrics={}, onnx=False)
    card = (tmp_path / "s" / "README.md").read_text()
    assert "Its training is unknown." in card
    assert "test accuracy" not in card
    assert "student.onnx" not in card


def test_int8_reports_the_loss_of_every_layer(exported: Trained) -> None:
    student, done = exported
    layers = done.forms["int8"].layers
    assert {each.layer for each in layers} >= {"stem.0", "classifier"}
    errors = [each.error for each in layers]
    assert errors == sorted(errors, reverse=True)
    assert len(layers) == sum(isinstance(m, nn.Conv2d | nn.Linear) for m in student.modules())
    assert 0 < errors[-1] < errors[0] < 0.2
    assert all(each.loss is not None and abs(each.loss) < 0.1 for each in layers)
    card = (done.folder / "README.md").read_text("utf-8")
    assert all(f"| `{each.layer}` | {100 * each.error:.2f} % |" in card for each in layers)
    again = read_exported(done.folder)
    assert again is not None
    assert again.forms["int8"].layers == layers


def test_int8_requires_onnx_and_matching_data(tmp_path: Path, digits: ImageData) -> None:
    student = CifarResNet((1,), num_classes=10, widths=(4, 4), in_channels=1)
    with pytest.raises(OptionError, match="leave --no-onnx out"):
        diswot.export(student, tmp_path / "s", data=digits, onnx=False, int8=True)
    other = ImageSpec((1, 8, 8), 10, (0.5,), (0.5,), 255.0)
    with pytest.raises(OptionError, match="name the data that it was trained on"):
        diswot.export(student, tmp_path / "s", signature=other.signature, data=digits)
    with pytest.raises(OptionError, match="name them as data"):
        diswot.export(student, tmp_path / "s", signature=digits.signature, int8=True)
    with pytest.raises(OptionError, match="pass the calibration data as data="):
        diswot.export(student, tmp_path / "s", int8=digits)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


class ForManyAlone(nn.Module):
    """A forward pass that torch.fx can trace but that works for one batch size only."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(256, 10)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.head(images.reshape(8, 256))
        return logits


def test_a_network_for_one_batch_size_is_a_one_line_error(
    tmp_path: Path, digits: ImageData
) -> None:
    with pytest.raises(ExportError) as caught:
        diswot.export(ForManyAlone(), tmp_path / "s", signature=digits.signature, onnx=False)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


SPACES = {
    "s0": (3, 16),
    "nas-bench-201": (3, 16),
    "macro-basic": (3, 32),
    "macro-bottleneck": (3, 32),
    "autoformer": (3, 32),
}


@pytest.mark.parametrize("name", SPACES)
def test_networks_of_every_space_are_written_as_source(name: str, tmp_path: Path) -> None:
    from diswot.search import find_space
    from diswot.seeding import generator_for

    channels, side = SPACES[name]
    space: SearchSpace = find_space(name, of_images(channels, 32, 32))
    network = space.build(space.sample(generator_for("export")), 10)
    spec = ImageSpec((channels, side, side), 10, (0.5,) * 3, (0.5,) * 3, 255.0)
    done = diswot.export(network, tmp_path / "s", signature=spec.signature, onnx=False)
    assert done.differences["student.py"] <= 1e-5


def test_the_command_calibrates_int8_on_the_data_of_the_run(
    cli: CommandLine, tmp_path: Path
) -> None:
    trained = cli(
        *("distill", "--arch", "width=4", "--space", "tests.cli.faulty:Small"),
        *("--loss", "alone", "--epochs", "1", "--out", "d"),
    )
    assert trained.code == 0, trained.err
    export = ("export", "d", "--space", "tests.cli.faulty:Small", "--out", "s", "--int8")
    outcome = cli(*export, "--no-pt2", "--json")  # the data are those of the training
    assert outcome.code == 0, outcome.err
    forms = json.loads(outcome.out)["forms"]
    assert list(forms) == ["source", "onnx", "int8"]
    assert forms["source"]["test_accuracy"] == forms["onnx"]["test_accuracy"]
    assert 0 <= forms["int8"]["test_accuracy"] <= 1
    with pytest.raises(DiswotError):
        diswot.export(nn.Identity(), tmp_path / "t")
