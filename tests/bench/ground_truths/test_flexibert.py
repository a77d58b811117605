"""GLUE scores of FlexiBERT's encoders as a ground truth."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from diswot.bench.ground_truths import find_truth
from diswot.bench.rank_statistics import kendall
from diswot.errors import DataError

PLACE = "flexibert/glue_scores.json"


def test_every_encoder_occurs_once(shared_data: Path) -> None:
    truth = find_truth("flexibert", shared_data)
    assert len(truth) == len(set(truth.architectures)) == 249
    assert (truth.task, truth.space_name) == ("text", "flexibert")
    assert truth.accuracies("glue").max() < 100
    for arch in truth.architectures[:9]:
        assert truth.space.from_string(truth.space.to_string(arch)) == arch


def test_parameter_count_has_the_published_correlation(shared_data: Path) -> None:
    records = json.loads((shared_data / PLACE).read_text())
    params = np.array([float(record["params"]) for record in records])
    glue = np.array([float(record["scores"]["glue"]) for record in records])
    assert kendall(params, glue) == pytest.approx(0.46, abs=5e-3)


def without_glue(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    records[3]["scores"]["glue"] = None
    return records


def with_strange_operation(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    records[4]["encoder_layers"][0]["operation_type"] = "RNN"
    return records


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda records: records[1:], "has 249 rows, expected 250"),
        (lambda _: {}, "is not a list of records"),
        (without_glue, "record 4: expected a finite number as glue"),
        (with_strange_operation, "record 5: "),
    ],
)
def test_a_damaged_table_is_refused(
    change: Callable[[Any], Any], message: str, shared_data: Path, tmp_path: Path
) -> None:
    records = json.loads((shared_data / PLACE).read_text())
    (tmp_path / "flexibert").mkdir()
    (tmp_path / PLACE).write_text(json.dumps(change(records)))
    with pytest.raises(DataError, match=message) as refused:
        find_truth("flexibert", tmp_path)
    assert "\n" not in str(refused.value)
