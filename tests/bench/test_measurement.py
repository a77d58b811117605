"""Measuring several scorers together equals measuring each alone."""

from pathlib import Path

from diswot.bench.measurement import MeasurementSettings, evaluator_for, measure
from diswot.bench.record_store import RECORDS
from diswot.bench.speed import time_alone
from diswot.progress import silent
from diswot.runs import RecordFile
from diswot.scorers import find_scorer

SCORERS = ("semantic_grad", "fsp", "snip+nwot")
SETTINGS = MeasurementSettings("s0", "digits", "resnet20", SCORERS, repeats=1, batch_size=8)


def test_scorers_give_the_same_terms_together_and_alone() -> None:
    evaluator = evaluator_for(SETTINGS)
    arch = evaluator.space.from_string("1-3-1")
    together = evaluator.evaluate(arch)
    assert together.failure is None
    for name in SCORERS:
        alone = evaluator.with_scorer(find_scorer(name)).evaluate(arch)
        assert alone.failure is None
        assert alone.terms == {term: together.terms[term] for term in alone.terms}


def test_every_scorer_is_timed() -> None:
    found = time_alone(SETTINGS, ["1-1-1", "1-3-1"], silent, count=1)
    assert tuple(found) == SCORERS
    assert all(milliseconds > 0 for milliseconds in found.values())


def test_all_records_have_their_seconds(tmp_path: Path) -> None:
    measure(SETTINGS, ["1-1-1"], tmp_path, progress=silent)
    records = RecordFile(tmp_path / RECORDS).read(dict)
    assert [record["kind"] for record in records] == ["costs", "terms"]
    assert all(record["seconds"] >= 0 for record in records)  # costs are counted once, for 0 s
    assert records[1]["seconds"] > 0
