"""The commands of `diswot bench`."""

import csv
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.conftest import CommandLine

ROWS = [f"{a}-{b}-1,{60 + 2 * a + b}" for a in (1, 3, 5, 7) for b in (1, 3, 5)]

HEADER = (
    "truth,target,scorer,architectures,repeats,n,single_sd,"
    "kendall,kendall_low,kendall_high,spearman,spearman_low,spearman_high\n"
)


def table(folder: Path, rows: list[str], header: str = "arch,acc") -> Path:
    path = folder / "mine.csv"
    path.write_text("\n".join([header, *rows]))
    return path


def correlation(cli: CommandLine, path: Path, *more: str | int | Path):  # type: ignore[no-untyped-def]
    return cli(
        "bench", "correlation", "--truth", path, "--column", "acc", "--space", "s0",
        "--data", "digits", "--scorers", "nwot,null", "--teacher", "resnet20",
        "--batch-size", 8, "--repeats", 2, *more,
    )  # fmt: skip


@pytest.mark.slow
def test_a_user_table_is_compared_with_baselines(cli: CommandLine, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = correlation(cli, table(tmp_path, ROWS), "--out", out)
    assert done.code == 0, done.err
    for name in ("nwot", "null", "params *", "flops *", "trainable_layers *"):
        assert name in done.out
    with (out / "acc.csv").open(newline="") as file:
        rows = {row["scorer"]: row for row in csv.DictReader(file)}
    assert rows["params"]["n"] == "12"
    low, value, high = (float(rows["nwot"][f"kendall{end}"]) for end in ("_low", "", "_high"))
    assert low <= value <= high
    assert float(rows["nwot"]["milliseconds"]) > 0
    assert (out / "acc.md").read_text().startswith("| name | Kendall τ |")
    for plot in ("acc-bars", "acc-scatter"):
        assert (out / f"{plot}.png").read_bytes().startswith(b"\x89PNG")
        ElementTree.parse(out / f"{plot}.svg")


@pytest.mark.processes
@pytest.mark.slow
def test_a_resumed_benchmark_gives_the_same_result(cli: CommandLine, tmp_path: Path) -> None:
    path, out = table(tmp_path, ROWS), tmp_path / "out"
    assert correlation(cli, path, "--out", out, "--workers", 2).code == 0
    whole = (out / "acc.csv").read_bytes()
    journal = out / "records.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join(lines[:-5]) + "{cut")
    again = correlation(cli, path, "--out", out)
    assert again.code == 0, again.err
    assert (out / "acc.csv").read_bytes() == whole
    assert sorted(journal.read_text().splitlines()) != []


@pytest.mark.slow
def test_json_output_is_one_object(cli: CommandLine, tmp_path: Path) -> None:
    done = correlation(cli, table(tmp_path, ROWS), "--json")
    rows = json.loads(done.out)["rows"]
    assert {row["scorer"] for row in rows} >= {"nwot", "null", "params"}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (ROWS[:9], "at least 10"),
        ([*ROWS, ROWS[0]], "is already on line 2"),
        ([*ROWS[:-1], "7-5-1,good"], "expected a finite number"),
        ([*ROWS[:-1], "2-5-1,70"], "architecture of this space"),
        ([f"{row.split(',')[0]},70" for row in ROWS], "constant"),
    ],
    ids=["few", "twice", "no number", "outside", "constant"],
)
def test_an_invalid_table_is_a_one_line_error(
    cli: CommandLine, tmp_path: Path, rows: list[str], message: str
) -> None:
    done = correlation(cli, table(tmp_path, rows), "--out", tmp_path / "out")
    assert done.code == 2
    assert message in done.err
    assert done.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--truth", "s0"), "unknown ground truth"),
        (("--truth", "mine.csv"), "give --column, --space and --data"),
        (("--truth", "resnet-s0", "--column", "acc"), "give --target"),
        (("--truth", "resnet-s0"), "DISWOT_MIRROR"),
        (("--scorers", ""), "joined with commas"),
        (("--scorers", "nwot,logrank(nwot"), "logrank"),
        (("--scorers", "nwott"), "did you mean 'nwot'"),
        (("--sample", "many"), "expected a positive number or all"),
    ],
)
def test_invalid_options_are_one_line_errors(
    cli: CommandLine, arguments: tuple[str, ...], message: str
) -> None:
    done = cli("bench", "correlation", *arguments)
    assert done.code == 2
    assert message in done.err
    assert done.err.count("\n") == 1


def test_a_sample_larger_than_the_space_is_refused(cli: CommandLine, shared_data: Path) -> None:
    done = cli(
        "bench", "correlation", "--truth", "resnet-s0", "--data-root", shared_data,
        "--sample", 65, "--scorers", "nwot",
    )  # fmt: skip
    assert done.code == 2
    assert "64 architectures" in done.err


def test_an_unknown_target_suggests_the_closest_match(cli: CommandLine, shared_data: Path) -> None:
    done = cli(
        "bench", "correlation", "--truth", "resnet-s0", "--data-root", shared_data,
        "--target", "distillde",
    )  # fmt: skip
    assert done.code == 2
    assert "did you mean 'distilled'" in done.err


@pytest.mark.slow
def test_a_folder_with_other_settings_is_refused(cli: CommandLine, tmp_path: Path) -> None:
    path, out = table(tmp_path, ROWS), tmp_path / "out"
    assert correlation(cli, path, "--out", out).code == 0
    done = correlation(cli, path, "--out", out, "--seed", 1)
    assert done.code == 2
    assert "started with seed 0, but got 1" in done.err


def test_published_figures_are_compared_with_measured_ones(
    cli: CommandLine, shared_data: Path, tmp_path: Path
) -> None:
    done = cli("bench", "paper", "--data-root", shared_data, "--out", tmp_path / "paper")
    assert done.code == 0, done.err
    with (tmp_path / "paper" / "paper.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    first, *again = [row for row in rows if "vanilla vs KD accuracy" in row["quantity"]]
    assert not again
    assert (first["verdict"], first["paper"]) == ("agrees", "0.8356")
    assert float(first["ours"]) == pytest.approx(0.8356, abs=1e-4)
    assert "pairs swap" in first["remark"]
    assert [row["setting"] for row in rows if row["verdict"] == "no figure printed"] == [
        "AutoFormer"
    ]
    ours = next(row for row in rows if row["quantity"].endswith("parameter count"))
    assert (ours["verdict"], ours["paper"]) == ("agrees", "0.873")
    assert {row["verdict"] for row in rows} >= {"agrees", "miss", "not tested"}
    assert all(row["remark"] for row in rows if row["verdict"] == "not tested")


def test_without_published_figures_the_error_asks_for_the_folder(
    cli: CommandLine, tmp_path: Path, shared_data: Path
) -> None:
    done = cli("bench", "paper", "--data-root", shared_data, "--published", tmp_path)
    assert done.code == 2
    assert "name their folder with --published" in done.err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("truth,scorer\nresnet-s0,nwot\n", "has no column 'target', 'architectures', 'repeats'"),
        (HEADER + "resnet-s0,distilled,nwot,64,3,64,,high,0,1,0.5,0.4,0.6\n", "got 'high'"),
        (HEADER + "resnet-s0,distilled,nwot,many,3,64,,0.5,0,1,0.5,0.4,0.6\n", "got 'many'"),
        ("", "is empty"),
    ],
    ids=["columns", "statistic", "count", "empty"],
)
def test_invalid_results_are_a_one_line_error(
    cli: CommandLine, tmp_path: Path, shared_data: Path, content: str, message: str
) -> None:
    results = tmp_path / "mine.csv"
    results.write_text(content)
    done = cli("bench", "paper", "--data-root", shared_data, "--results", results)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert message in done.err
    assert str(results) in done.err


def test_invalid_published_figures_are_a_one_line_error(
    cli: CommandLine, tmp_path: Path, shared_data: Path
) -> None:
    (tmp_path / "diswot.csv").write_text("claim,setting,quantity\nfirst,S0,tau\n")
    done = cli("bench", "paper", "--data-root", shared_data, "--published", tmp_path)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "has no column 'value'" in done.err


def test_benchmarks_are_listed(cli: CommandLine) -> None:
    done = cli("list", "benchmarks")
    assert done.code == 0
    for name in (
        "digits-s0",
        "resnet-s0",
        "nas-bench-201",
        "nas-bench-macro",
        "nats-sss",
        "autoformer",
    ):
        assert name in done.out


def test_a_trained_teacher_state_requires_weights(cli: CommandLine, tmp_path: Path) -> None:
    outcome = cli(
        "bench", "correlation", "--scorers", "student_fit", "--sample", "10",
        "--teacher", "resnet20", "--teacher-state", "trained", "--out", tmp_path / "c",
    )  # fmt: skip
    assert outcome.code == 2
    assert outcome.err == (
        "diswot: teacher resnet20 has no trained weights: give them with --teacher-weights\n"
    )
