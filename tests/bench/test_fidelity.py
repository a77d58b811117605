"""Scores compared with the values that NAS-Bench-Suite-Zero published."""

import csv
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.fidelity import FLOPS_AS_PUBLISHED, SCORED, Fidelity, fidelity, main
from diswot.errors import DataError, OptionError

pytestmark = pytest.mark.slow

SAMPLE, BATCH = 12, 12
NOISY = ("grasp", "plain")
"""Scores of which two seeds of our own hardly agree on so few architectures."""
STABLE = tuple(name for name in SCORED if name not in NOISY)


@pytest.fixture(name="rows", scope="module")
def fixture_rows(
    shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Fidelity]:
    rows = fidelity(
        shared_data, tmp_path_factory.mktemp("fidelity"), sample=SAMPLE, batch_size=BATCH
    )
    return {row.scorer: row for row in rows}


def test_each_of_the_13_published_scores_has_a_row(rows: dict[str, Fidelity]) -> None:
    assert set(rows) == {*SCORED, "params", "flops", FLOPS_AS_PUBLISHED}
    assert len(SCORED) + 2 == 13
    for row in rows.values():
        assert (row.n, row.failed, row.again, row.batch_size) == (SAMPLE, 0, SAMPLE, BATCH)


@pytest.mark.parametrize("name", STABLE)
def test_stable_scores_rank_as_published(rows: dict[str, Fidelity], name: str) -> None:
    row = rows[name]
    assert row.spearman is not None
    assert row.seed_to_seed is not None
    assert row.spearman > 0.5


def test_grasp_has_the_published_sign(rows: dict[str, Fidelity]) -> None:
    assert rows["grasp"].spearman is not None
    assert rows["grasp"].spearman > 0


@pytest.mark.parametrize("name", ["synflow", "zen", "nwot", "fisher", "grad_norm"])
def test_deterministic_scores_agree_closely(rows: dict[str, Fidelity], name: str) -> None:
    assert rows[name].spearman == pytest.approx(1, abs=0.1)


def test_parameter_and_flop_counts_are_exact(rows: dict[str, Fidelity]) -> None:
    assert rows["params"].passed
    assert rows["params"].spearman == rows["params"].seed_to_seed == pytest.approx(1)
    assert rows[FLOPS_AS_PUBLISHED].passed
    assert rows[FLOPS_AS_PUBLISHED].spearman == pytest.approx(1)


def test_passed_compares_spearman_with_the_seed_to_seed_value(rows: dict[str, Fidelity]) -> None:
    for name in SCORED:
        row = rows[name]
        assert row.spearman is not None
        assert row.seed_to_seed is not None
        assert row.passed == (row.spearman >= min(0.95, row.seed_to_seed - 0.02))


def test_the_command_writes_the_table(shared_data: Path, tmp_path: Path) -> None:
    out = tmp_path / "fidelity"
    arguments = f"--data-root {shared_data} --sample 3 --batch-size 4 --workers 1 --out {out}"
    result = CliRunner().invoke(main, arguments.split(), catch_exceptions=False)
    assert result.exit_code == 0
    with (out / "fidelity.csv").open(newline="", encoding="utf-8") as file:
        table = {row["scorer"]: row for row in csv.DictReader(file)}
    assert set(table) == {*SCORED, "params", "flops", FLOPS_AS_PUBLISHED}
    assert table["params"]["passed"] == "True"
    assert table["synflow"]["again"] == "3"
    assert (out / "fidelity.csv").read_text() in result.output


@pytest.mark.parametrize(("sample", "again"), [(1001, 3), (2, 3), (0, 3), (10, 1)])
def test_invalid_sample_sizes_are_refused(
    shared_data: Path, tmp_path: Path, sample: int, again: int
) -> None:
    with pytest.raises(OptionError, match="but got"):
        fidelity(shared_data, tmp_path, sample=sample, again=again)


def test_the_error_names_a_missing_table(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="reference_proxies"):
        fidelity(tmp_path, tmp_path / "out")
