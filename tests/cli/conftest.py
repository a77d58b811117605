"""What the tests of the commands share: a quick search, and a finished run to work on."""

import shutil
from pathlib import Path

import pytest

import diswot
from tests.cli.faulty import Small

SPACE = "tests.cli.faulty:Small"

# As little of a search as there can be, with networks of a few dozen parameters.
QUICK = (
    *("--teacher", "resnet20", "--space", SPACE),
    *("--population", "2", "--generations", "1", "--repeats", "1", "--batch-size", "8"),
)


@pytest.fixture(scope="session")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the run folder of a finished search; it must stay as it is."""
    folder = tmp_path_factory.mktemp("searched") / "run"
    diswot.search(
        "resnet20",
        Small(),
        population=2,
        generations=1,
        repeats=1,
        batch_size=8,
        out=folder,
        device="cpu",
    )
    return folder


@pytest.fixture
def run_folder(searched: Path, tmp_path: Path) -> Path:
    """Return a copy of a finished run, to be damaged."""
    return Path(shutil.copytree(searched, tmp_path / "run"))
