"""Every worked example runs with `--small` and gives the documented results."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from diswot.search import load_run
from tests.forked import run_programs

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
IMPORTS = "torch,torch._dynamo,accelerate,kornia.augmentation,sklearn.datasets"
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
ACCELERATE = [
    *(sys.executable, "-m", "accelerate.commands.launch", "--cpu"),
    *("--num-processes", "2", "--num-machines", "1", "--mixed-precision", "no"),
    *("--dynamo-backend", "no", "--num-cpu-threads-per-process", "1"),
]


def output_of(
    name: str,
    folder: Path,
    *,
    launch: list[str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Run an example in `folder`, which is also its data root, and return its output."""
    (folder / "data").mkdir()
    variables = {
        **(environment or {}),
        "DISWOT_DATA": str(folder / "data"),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
    }
    program = [str(EXAMPLES / name), "--small"]
    if launch is None:
        (ended,) = run_programs([program], imports=IMPORTS, folder=folder, variables=variables)
        assert ended.status == 0, ended.err.decode()
        return ended.out.decode()
    done = subprocess.run(
        [*launch, *program],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_example_with_photos_and_an_hf_teacher_runs(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    printed = output_of("own_images.py", tmp_path)
    assert "exported to run/student" in printed
    best = load_run(tmp_path / "run").best
    assert best.params <= 300_000
    assert f"winner: {best.name}" in printed


@pytest.mark.slow
def test_the_example_with_a_vit_and_devices_runs(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    pytest.importorskip("onnxruntime")
    printed = output_of("vit_to_phone.py", tmp_path)
    (params,) = re.findall(r"student: .*, ([\d,]+) parameters", printed)
    assert int(params.replace(",", "")) <= 300_000
    for form in ("source", "onnx"):
        assert re.search(rf"^{form}: \d+\.\d %, \d+\.\d+ ms, [\d,]+ bytes$", printed, re.MULTILINE)
    answers = re.findall(r"^(?:source|onnx): \d+\.png is (\w+) [\d.]+%$", printed, re.MULTILINE)
    assert len(answers) == 2
    assert len(set(answers)) == 1


@pytest.mark.slow
def test_the_example_with_three_searches_runs(tmp_path: Path) -> None:
    pytest.importorskip("mlflow")
    environment = {
        "MLFLOW_TRACKING_URI": (tmp_path / "mlruns").as_uri(),
        "MLFLOW_ALLOW_FILE_STORE": "true",
    }
    first, *rows = output_of("three_searches.py", tmp_path, environment=environment).splitlines()
    assert first == "wrote runs/comparison.html"
    page = (tmp_path / "runs" / "comparison.html").read_text(encoding="utf-8")
    for row, scorer in zip(rows, ("student_fit", "nwot", "params"), strict=True):
        best = load_run(tmp_path / "runs" / scorer).best
        assert row == f"{scorer}: {best.params:,} parameters, {best.macs:,} multiply-adds"
        assert scorer in page


def test_the_example_with_a_custom_space_runs(tmp_path: Path) -> None:
    printed = output_of("own_space.py", tmp_path)
    assert re.search(r"best of \d+: width=\d+,depth=\d,kernel=\d,activation=\w+, [\d,]+ p", printed)
    assert (tmp_path / "student" / "student.py").is_file()


def test_the_example_with_a_custom_teacher_and_data_runs(tmp_path: Path) -> None:
    assert "exported to student" in output_of("own_teacher_and_data.py", tmp_path)
    assert (tmp_path / "student" / "weights.safetensors").is_file()


def test_the_example_with_a_custom_scorer_runs(tmp_path: Path) -> None:
    lines = output_of("own_scorer.py", tmp_path).splitlines()
    assert [line.split(":")[0].strip() for line in lines] == ["neighbors", "params", "null"]
    assert all(re.search(r"τ [+-]\d\.\d\d of 12", line) for line in lines)


def test_the_example_with_a_custom_loss_runs(tmp_path: Path) -> None:
    alone, with_kd, with_both = output_of("own_loss.py", tmp_path).splitlines()
    assert "sureness" not in alone + with_kd
    assert re.search(r"last epoch: ce [\d.]+, kd\(T=4\) [\d.]+, sureness\(.*\) [\d.]+$", with_both)


@pytest.mark.parametrize("launch", [TORCHRUN, ACCELERATE], ids=["torchrun", "accelerate"])
def test_the_example_with_two_processes_runs(tmp_path: Path, launch: list[str]) -> None:
    printed = output_of("two_gpus.py", tmp_path, launch=launch)
    assert printed.count("exported to two-gpus/student") == 1
    assert (tmp_path / "two-gpus" / "distill" / "report.json").is_file()
    assert (tmp_path / "two-gpus" / "student" / "weights.safetensors").is_file()


def test_every_example_has_a_page() -> None:
    pages = "".join(page.read_text() for page in (ROOT / "docs" / "examples").glob("*.md"))
    for example in EXAMPLES.glob("*.py"):
        assert f'--8<-- "examples/{example.name}"' in pages
