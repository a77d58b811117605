"""Run folders that are missing, unfinished or damaged: one line before any training or export."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from tests.cli.conftest import ONE_EPOCH, SPACE, Damage, Refused, cut_short, make_a_folder_of
from tests.cli.faulty import Small
from tests.edits import edit


def test_distilling_without_a_student_is_refused(refused: Refused) -> None:
    assert "--arch" in refused("distill")


@pytest.mark.parametrize("command", ["distill", "export"])
@pytest.mark.parametrize("kind", ["missing", "empty", "file"])
def test_a_folder_that_is_not_a_run_is_refused(
    refused: Refused, tmp_path: Path, command: str, kind: str
) -> None:
    path = tmp_path / "folder"
    if kind == "empty":
        path.mkdir()
    if kind == "file":
        path.write_text("no folder")
    assert str(path) in refused(command, path)


def test_a_run_without_a_trained_student_cannot_be_exported(
    refused: Refused, run_folder: Path
) -> None:
    assert f"diswot distill {run_folder}" in refused("export", run_folder, "--space", SPACE)


def test_code_named_in_a_run_folder_is_not_imported(refused: Refused, run_folder: Path) -> None:
    edit(run_folder / "manifest.json", lambda manifest: manifest["settings"].update(space=SPACE))
    assert "--space" in refused("distill", run_folder)


BROKEN_JSON: dict[str, Damage] = {
    "empty": lambda path: path.write_text(""),
    "cut short": lambda path: path.write_text(path.read_text()[:-10]),
    "list": lambda path: path.write_text("[]"),
    "no keys": lambda path: path.write_text("{}"),
    "no text": lambda path: path.write_bytes(b"\xff\xfe\x00"),
    "too deep": lambda path: path.write_text("[" * 100_000),
    "folder": make_a_folder_of,
}


@pytest.mark.parametrize("file", ["manifest.json", "result.json"])
@pytest.mark.parametrize("damage", BROKEN_JSON.values(), ids=BROKEN_JSON)
def test_a_run_folder_with_a_damaged_file_is_refused(
    refused: Refused, run_folder: Path, file: str, damage: Damage
) -> None:
    damage(run_folder / file)
    assert str(run_folder) in refused("distill", run_folder, "--space", SPACE)


@pytest.mark.parametrize("file", ["manifest.json", "result.json", "journal.jsonl"])
def test_a_run_folder_with_a_missing_file_is_refused(
    refused: Refused, run_folder: Path, file: str
) -> None:
    (run_folder / file).unlink()
    line = refused("distill", run_folder, "--space", SPACE)
    assert str(run_folder) in line
    assert file.split(".")[0] in line or "did not finish" in line


def setting(name: str, value: object) -> Callable[[Any], object]:
    return lambda manifest: manifest["settings"].update({name: value})


@pytest.mark.parametrize(
    "change",
    [
        lambda manifest: manifest.pop("settings"),
        lambda manifest: manifest.update(settings=[]),
        lambda manifest: manifest["settings"].pop("teacher"),
        lambda manifest: manifest["settings"].pop("seed"),
        setting("teacher", 3),
        setting("teacher", ["resnet20"]),
        setting("teacher_weights", 3),
        setting("data", None),
        lambda manifest: manifest.pop("data"),
        lambda manifest: manifest["data"]["signature"].update(inputs=[]),
        lambda manifest: manifest["data"]["signature"].update(facts=None),
    ],
    ids=[
        "no settings",
        "settings are a list",
        "no teacher",
        "no seed",
        "teacher is a number",
        "teacher is a list",
        "weights are a number",
        "data is none",
        "no data",
        "no inputs",
        "no facts",
    ],
)
def test_a_manifest_with_wrong_values_is_refused(
    refused: Refused, run_folder: Path, change: Callable[[Any], object]
) -> None:
    edit(run_folder / "manifest.json", change)
    refused("distill", run_folder, "--space", SPACE, *ONE_EPOCH)


@pytest.mark.parametrize(
    "text", ["{", "[]", "{}", "", "[" * 100_000], ids=["cut", "list", "no keys", "empty", "deep"]
)
def test_a_damaged_journal_is_refused_by_line(
    refused: Refused, run_folder: Path, text: str
) -> None:
    path = run_folder / "journal.jsonl"
    lines = path.read_text().splitlines()
    lines[1] = text
    path.write_text("\n".join(lines) + "\n")
    line = refused("distill", run_folder, "--space", SPACE)
    assert f"line 2 of {path}" in line


@pytest.fixture
def trained(run_folder: Path) -> Path:
    """Return the training folder of the winner, with random weights, that a test may damage."""
    folder = run_folder / "distill" / "diswot"
    folder.mkdir(parents=True)
    best = json.loads((run_folder / "result.json").read_text())["best"]["architecture"]
    manifest = json.loads((run_folder / "manifest.json").read_text())
    report = {
        "architecture": best,
        "val_accuracy": 0.5,
        "signature": manifest["data"]["signature"],
        "metrics": {"loss": "diswot"},
    }
    (folder / "report.json").write_text(json.dumps(report))
    network = Small().build(Small().from_string(best), 10)
    save_file(network.state_dict(), folder / "best.safetensors")
    return folder


@pytest.mark.parametrize("damage", BROKEN_JSON.values(), ids=BROKEN_JSON)
def test_a_training_with_a_damaged_report_is_not_exported(
    refused: Refused, run_folder: Path, trained: Path, damage: Damage
) -> None:
    damage(trained / "report.json")
    assert str(trained) in refused("export", run_folder, "--space", SPACE, "--no-onnx")


@pytest.mark.parametrize(
    "change",
    [
        lambda report: report.pop("signature"),
        lambda report: report.update(signature=[]),
        lambda report: report.update(metrics=None),
        lambda report: report.update(val_accuracy="high"),
        lambda report: report["metrics"].pop("loss"),
        lambda report: report["signature"]["inputs"][0].update(shape=[1, 16, 1 << 30]),
    ],
    ids=["no signature", "a list", "no metrics", "words", "no loss", "too wide"],
)
def test_a_training_with_wrong_values_is_not_exported(
    refused: Refused, run_folder: Path, trained: Path, change: Callable[[Any], object]
) -> None:
    edit(trained / "report.json", change)
    assert str(trained) in refused("export", run_folder, "--space", SPACE, "--no-onnx")


@pytest.mark.slow
@pytest.mark.parametrize(
    "damage",
    [
        Path.unlink,
        cut_short,
        lambda path: save_file({"weight": torch.zeros(3)}, path),
    ],
    ids=["missing", "cut short", "of another network"],
)
def test_a_training_with_damaged_weights_is_not_exported(
    refused: Refused, run_folder: Path, trained: Path, damage: Damage
) -> None:
    damage(trained / "best.safetensors")
    line = refused("export", run_folder, "--space", SPACE, "--no-onnx")
    assert "best.safetensors" in line


@pytest.mark.parametrize("option", [("--arch", "width=3"), ("--loss", "alone")])
def test_a_student_that_was_not_trained_is_not_exported(
    refused: Refused, run_folder: Path, trained: Path, option: tuple[str, str]
) -> None:
    assert option[1] in refused("export", run_folder, "--space", SPACE, *option)


def test_an_export_into_an_existing_folder_is_refused(
    refused: Refused, run_folder: Path, trained: Path
) -> None:
    line = refused("export", run_folder, "--space", SPACE, "--out", trained)
    assert "not empty" in line


def test_resume_refuses_a_training_started_from_python(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "checkpoint.pt").touch()
    assert "is a training that was started from Python" in refused("resume", tmp_path / "d")


@pytest.mark.parametrize("command", ["resume", "report", "distill", "export"])
@pytest.mark.parametrize(
    ("place", "value"),
    [
        *((f"settings/{name}", 10**9) for name in ("repeats", "batch_size", "threads")),
        ("settings/seed", 2**64),
        ("settings/repeats", 0),
        *((f"engine/{name}", 10**9) for name in ("population", "generations")),
        ("data/signature/inputs/0/shape", [1, 10**9, 16]),
        ("data/signature/inputs/0/shape", [1, float("inf"), 16]),
        ("data/signature/inputs/0/shape", [10**6, 16, 16]),
        ("data/signature/outputs", 10**9),
        ("data/signature/outputs", 0),
        ("data/signature/facts", 0.5),
    ],
)
def test_absurd_numbers_are_refused_at_once(
    refused: Refused, run_folder: Path, command: str, place: str, value: object
) -> None:
    *way, name = place.split("/")

    def change(manifest: Any) -> None:
        for part in way:
            manifest = manifest[int(part) if part.isdigit() else part]
        manifest[name] = value

    edit(run_folder / "manifest.json", change)
    assert "manifest.json is damaged" in refused(command, run_folder)
