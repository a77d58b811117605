"""Quantities and tables of the lab notebook."""

import math
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks.lab import report, searches
from benchmarks.lab.aggregates import STUDENT_FIT
from benchmarks.lab.ceilings import best_weights
from benchmarks.lab.journals import Journal, merit
from benchmarks.lab.measure import EXPERIMENTS
from benchmarks.lab.quantities import COUNTS, QUANTITIES, WIDE
from benchmarks.lab.report import fit_rows
from benchmarks.lab.tables import tables_of
from benchmarks.results_folder import RESULTS, keep
from diswot.bench.tables import write_csv
from diswot.errors import RunFolderError
from diswot.networks.layers import blocks
from diswot.scorers import all_terms
from search_spaces import AutoFormerSpace, NASBench201Space, ResNetDepthSpace
from tests.scorers.probes import batch, calls, probe_of, resnet


def test_the_quantities_include_the_terms_of_student_fit() -> None:
    scorer = all_terms(["student_fit_1", *QUANTITIES, *COUNTS, *WIDE])
    student = probe_of(resnet(1), batch(), scorer)
    found = scorer(student, probe_of(resnet(2), batch(), scorer))
    assert found["filled_width"] == pytest.approx(math.log1p(found["reach_rank_entropy"]), rel=1e-5)
    assert found["root_size"] == pytest.approx(math.log(found["size_sides_1/2"]))
    assert found["teacher_alignment"] == pytest.approx(
        math.log1p(max(found["alignment_mean"], found["alignment_pixels"])), abs=1e-6
    )
    assert found["image_rank_squared"] >= found["size_layers"] - 2
    assert 0 <= found["collinearity"] <= 1
    assert found["gradient_growth"] >= 0
    assert all(map(math.isfinite, found.values()))


SPACES = {
    "resnet": ResNetDepthSpace(),
    "cells": NASBench201Space(),
    "autoformer": AutoFormerSpace(),
}


def journal(name: str, n: int = 60, *, seed: int = 0) -> Journal:
    """Return quantities that correlate with accuracy."""
    rng = np.random.default_rng(seed)
    accuracies = rng.uniform(60, 70, n)
    terms = {
        term: np.exp(accuracies[:, None] / 10 + rng.normal(0, 0.5, (n, 5)))
        for term in (*QUANTITIES, *COUNTS, "size_ln", "trainable_layers")
    }
    terms |= {t: rng.uniform(0, 1, (n, 5)) for t in terms if t.startswith("alignment")}
    alone = accuracies - rng.uniform(0, 3, n) if "cells" not in name else None
    space = SPACES[name.split("-")[0]]
    names = [space.to_string(space.sample(rng)) for _ in range(n)]
    params, macs = rng.uniform(1e5, 1e6, (2, n))
    return Journal(name, names, accuracies, alone, params, macs, terms)


def curved(images: int) -> Journal:
    """Return the terms of `student_fit_1` for one point of the curve over the number of images."""
    one = journal("cells", seed=images)
    terms = {"filled_width": "reach_rank_entropy", "root_size": "size_sides_1/2"}
    terms |= {"teacher_alignment": "alignment_mean"}
    return replace(one, terms={term: one.terms[name] for term, name in terms.items()})


def test_student_fit_is_a_sum_of_logarithms() -> None:
    one = journal("resnet-s0")
    expected = (
        np.log1p(one.terms["reach_rank_entropy"])
        + np.log(one.terms["size_sides_1/2"])
        + np.log1p(np.maximum(one.terms["alignment_mean"], one.terms["alignment_pixels"]))
    )
    np.testing.assert_allclose(STUDENT_FIT(one), expected)
    assert merit(one.accuracies, one).kendall == pytest.approx(1)


@pytest.mark.processes
def test_every_table_can_be_made_and_names_its_truths() -> None:
    truths = ("resnet-s0", "cells-cifar10", "cells-cifar100", "autoformer")
    trained = {name: journal(name, seed=number) for number, name in enumerate(truths)}
    others = {"resnet-s0-random": journal("resnet-s0-random")}
    rows = fit_rows(trained)
    assert {row.truth for row in rows} == set(truths)
    curve = {images: curved(images) for images in (4, 16)}
    tables = tables_of(trained, others, {"cells": journal("cells")}, {"cells": curve})
    for title, table in tables.items():
        assert table.startswith("|"), title
        assert "nan" not in table, title
    assert tables["Which teacher"].count("random teacher") == 1
    assert tables["Left out one truth at a time"].count("**") == 2


def test_the_best_weights_of_an_encoding_are_found() -> None:
    rng = np.random.default_rng(0)
    encoded = rng.normal(size=(40, 2))
    found = best_weights(encoded, encoded @ np.array([1.0, 3.0]))
    assert found[1] / found[0] == pytest.approx(3, rel=0.05)


def test_blocks_are_matched_by_depth() -> None:
    scorer = all_terms(["relation_blocks", "spectrum_blocks", "attention_blocks", "resolution"])
    student = probe_of(resnet(1), batch(), scorer)
    itself = scorer(student, student)
    assert itself["relation_blocks"] == pytest.approx(0, abs=1e-6)
    assert itself["spectrum_blocks"] == 0
    assert itself["attention_blocks"] == pytest.approx(1)
    other = scorer(student, probe_of(resnet(2), batch(), scorer))
    assert other["relation_blocks"] < 0
    assert other["spectrum_blocks"] < 0
    assert 0 < other["attention_blocks"] < 1
    network = resnet(1)
    outputs = [output for _, output in calls(network, blocks(network), batch()[0])]
    positions = [output[0, 0].numel() for output in outputs]
    assert other["resolution"] == pytest.approx(np.log(positions).mean())


def test_reused_experiments_exist_and_are_listed() -> None:
    taken = {name for experiment in EXPERIMENTS.values() for name in experiment.reused}
    assert taken
    assert taken <= set(EXPERIMENTS)
    pages = Path(__file__).parents[2] / "benchmarks" / "lab"
    for page in pages.glob("*.md"):
        for link in pages.glob("[0-9]*.md"):
            if page.name == "README.md":
                assert f"({link.name})" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("command", [report.main, searches.main])
def test_tables_are_not_overwritten_without_measurements(
    tmp_path: Path, command: click.Command
) -> None:
    results = [*RESULTS.iterdir(), report.HERE / "tables.md"]
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in results}
    arguments = ["--teachers", str(tmp_path), "--work", str(tmp_path / "work")]
    refused = CliRunner().invoke(command, arguments)
    assert refused.exit_code == 2
    assert f"there are no measurements in {tmp_path / 'work'}/resnet-s0, " in refused.output
    assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in results} == before


def test_a_table_without_rows_is_not_written(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("truth\nresnet-s0\n")
    with pytest.raises(RunFolderError, match=r"no rows for .*table\.csv, which is left unchanged"):
        write_csv(tmp_path / "table.csv", [])
    assert (tmp_path / "table.csv").read_text() == "truth\nresnet-s0\n"
    with pytest.raises(click.ClickException, match="no rows for losses"):
        keep("losses", [], {}, datetime.now(UTC))
