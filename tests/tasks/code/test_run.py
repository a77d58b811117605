"""The main job on source code, from a file to a prediction of the exported student."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import CommandLine
from tests.forked import run_programs
from tests.tasks.code.conftest import WriteRows, contract, rows

SMALL = ["--engine", "random", "--population", 2, "--generations", 0, "--repeats", 1]
TRANSFER = """
import sys
from pathlib import Path
from diswot.search import restored_student
from diswot.students import with_new_classifier
from diswot.tasks.code import programs_for_student
from diswot.training import distill, saved_students

run = Path(sys.argv[1])
novel = programs_for_student(run / "student", sys.argv[2], vulnerabilities=["new"])
few = novel.with_fewer(10, seed=0)
assert few.classes == ("none", "new") and few.length == 32
student = restored_student(saved_students(run)[0], "gated-convolution")
tuned = with_new_classifier(student, novel.signature, seed=0)
training = distill(tuned, teacher=None, data=few, loss="alone", epochs=2, progress=False)
print(training.test.name, training.test)
"""

SHORT = ["--epochs", 1, "--teacher-epochs", 1, "--force", "--no-onnx", "--no-compare"]


@pytest.mark.slow
@pytest.mark.processes
def test_run_goes_from_contracts_to_an_exported_student(
    cli: CommandLine, tmp_path: Path, write: WriteRows
) -> None:
    data = ["--data", write(rows(24)), "--length", 32, "--batch-size", 8, "--max-params", "10k"]
    done = cli("run", "--task", "code", *data, *SMALL, *SHORT, "--out", "run")
    assert done.code == 0, done.err
    assert "gated-medium" in done.out
    assert "macro F1" in done.out
    student = tmp_path / "run" / "student"
    config = json.loads((student / "config.json").read_text("utf-8"))
    assert config["classes"] == ["none", "reentrancy"]
    source = tmp_path / "bank.sol"
    source.write_text(contract(0, vulnerable=True))
    done = cli("predict", student, source, "--form", "source", "--json")
    assert done.code == 0, done.err
    (answer,) = json.loads(done.out)["predictions"]
    command = [sys.executable, str(student / "predict.py"), str(source)]
    alone = subprocess.run(command, capture_output=True, text=True, check=True)
    assert alone.stdout.split()[0] == answer["label"]
    (tmp_path / "broken.sol").write_text("contract {")
    assert (
        "it is not Solidity"
        in cli("predict", student, tmp_path / "broken.sol", "--form", "source").err
    )
    others = write([row | {"vulnerability": "new"} for row in rows(40)])
    program = ("-c", TRANSFER, student.parent, others)
    (tuned,) = run_programs([program], imports="torch")
    assert tuned.status == 0, tuned.err
    assert b"macro F1" in tuned.out


def test_an_unknown_vulnerability_is_refused_before_the_search(
    cli: CommandLine, tmp_path: Path, write: WriteRows
) -> None:
    options = ["--data", write(rows()), "--vulnerabilities", "overflow"]
    refused = cli("run", "--task", "code", *options, "--out", "run")
    assert (refused.code, len(refused.err.splitlines())) == (2, 1)
    assert "has no vulnerability overflow: it has reentrancy" in refused.err
    assert not (tmp_path / "run").exists()
