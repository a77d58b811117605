"""The checks of a GPU, in their small form on a CPU."""

import pytest
import torch
from click.testing import CliRunner

from benchmarks.gpu import VARIANTS, full, main

pytestmark = pytest.mark.slow


@pytest.mark.processes
def test_the_small_form_runs_on_a_cpu() -> None:
    found = CliRunner().invoke(main, ["--device", "cpu", "--small"])
    assert found.exit_code == 0, found.output
    assert "GPU checks on cpu" in found.output
    for words in ("nwot", "channels-last", "bf16", "two processes", "2 workers", "per student"):
        assert words in found.output
    assert " NO" not in found.output
    assert "all 15,625 cells" in found.output


def test_without_a_gpu_one_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    found = CliRunner().invoke(main, [])
    assert found.exit_code == 2
    assert found.output.strip().splitlines()[-1].startswith("Error: torch finds no NVIDIA GPU here")


def test_the_full_form_covers_scorers_and_accelerations() -> None:
    size = full()
    assert {"student_fit", "diswot", "nwot", "zen", "gradsign"} <= set(size.scorers)
    assert size.variants == tuple(VARIANTS)
