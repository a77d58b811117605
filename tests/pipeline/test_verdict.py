"""The student that a run recommends, on predictions with known differences."""

import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from diswot import pipeline
from diswot.errors import RunFolderError
from diswot.pipeline import TrainedStudent, Verdict, read_verdict
from diswot.search import Costs
from diswot.tasks import Measure
from diswot.tasks.images import accuracy, load_data, paired_difference
from tests.export.test_any_task import Sentences

IMAGES = 1000
DIGITS = load_data("digits")


def verdict(students: Sequence[TrainedStudent], **known: Any) -> Verdict:
    return pipeline.verdict(students, DIGITS, **known)


def right(rate: float, images: int = IMAGES) -> torch.Tensor:
    """Return predictions of which the first are correct, so a worse student wins on no image."""
    return torch.arange(images) < round(rate * images)


def student(
    label: str,
    params: int,
    val: float,
    *,
    test: float | None = None,
    loss: str = "diswot",
    name: str | None = None,
) -> TrainedStudent:
    answers = right(val), right(val if test is None else test)
    return TrainedStudent(label, name or f"net-{label}", Costs(params, params), loss, *answers)


def test_a_winner_that_is_clearly_best_is_recommended() -> None:
    found = verdict([student("winner", 200, 0.95), student("smallest", 50, 0.80)])
    assert (found.take, found.architecture, found.loss) == ("winner", "net-winner", "diswot")
    assert "highest validation accuracy, 95.0 %" in found.reason
    assert "the smallest student (net-smallest), is behind, −15.0 points" in found.reason
    assert "found nothing better" not in " ".join(found.sentences)


def test_of_two_equally_good_students_the_smaller_is_recommended() -> None:
    found = verdict([student("winner", 200, 0.951), student("smallest", 50, 0.950)])
    assert found.take == "smallest"
    assert "as good as the winner (net-winner) within the interval, −0.1 points" in found.reason
    assert "with 25 % of its parameters" in found.reason
    assert "or train with more seeds" in found.reason


def test_a_baseline_that_beats_the_winner_is_recommended() -> None:
    found = verdict([student("winner", 100, 0.80), student("largest", 200, 0.95)])
    assert found.take == "largest"
    assert "The winner of the search (net-winner) is behind (−15.0 points" in found.reason
    assert "found nothing better than this baseline" in found.reason


def test_a_clearly_worse_smaller_student_is_not_recommended() -> None:
    students = [student("winner", 100, 0.95), student("smallest", 10, 0.90)]
    assert verdict([*students, student("random", 60, 0.949)]).take == "random"


def test_only_the_validation_split_decides() -> None:
    students = [student("winner", 200, 0.95, test=0.5), student("smallest", 50, 0.80, test=0.99)]
    found = verdict(students)
    assert found.take == "winner"
    assert any("The test split disagrees" in note for note in found.notes)
    assert not any("disagrees" in n for n in verdict([students[0]]).notes)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_order_of_students_does_not_matter(order: Sequence[int]) -> None:
    students = [
        student("winner", 90, 0.9),
        student("largest", 99, 0.901),
        student("random", 70, 0.5),
    ]
    assert verdict([students[place] for place in order]).take == "winner"


def test_the_loss_that_is_better_on_validation_is_recommended() -> None:
    plain = student("winner", 100, 0.9, name="a")
    dagger = student("winner", 100, 0.92, name="a", loss="diswot-dagger")
    assert verdict([plain, dagger]).loss == "diswot-dagger"
    assert verdict([dagger, plain]).loss == "diswot-dagger"
    assert verdict([plain]).reason == "No other student was trained for comparison."


def test_plain_training_only_shows_the_gain_from_the_teacher() -> None:
    alone = student("winner", 100, 0.99, name="a", loss="alone")
    found = verdict([alone, student("winner", 100, 0.9, name="a")])
    assert found.loss == "diswot"
    assert any(note.startswith("The teacher loses") for note in found.notes)
    better = verdict(
        [student("winner", 9, 0.5, name="a", loss="alone"), student("winner", 9, 0.9, name="a")]
    )
    assert not any("teacher" in note for note in better.notes)


def test_a_single_seed_is_mentioned_as_a_limit() -> None:
    students = [student("winner", 100, 0.9)]
    assert any(note.startswith("One seed (3)") for note in verdict(students, seeds=(3,)).notes)
    assert not any("One seed" in note for note in verdict(students, seeds=(0, 1, 2)).notes)


def test_a_teacher_behind_its_student_is_reported() -> None:
    students = [student("winner", 100, 0.9)]
    behind = verdict(students, teacher=accuracy(700, 1000))
    assert any(note.startswith("The teacher is behind its student") for note in behind.notes)
    ahead = verdict(students, teacher=accuracy(899, 1000))
    assert not any("behind" in note for note in ahead.notes)


def test_a_failed_training_is_reported() -> None:
    found = verdict([student("winner", 100, 0.9)], failures={"largest": "the loss is nan"})
    assert "largest could not be trained: the loss is nan." in found.notes
    with pytest.raises(ValueError, match="at least one distilled"):
        verdict([student("winner", 100, 0.9, loss="alone")])


def test_untrained_students_are_named() -> None:
    found = verdict([student("winner", 100, 0.9)], untrained=["largest", "random"])
    assert found.sentences[1] == "No other student was trained for comparison."
    assert found.sentences[2] == "Not trained in full, and so not compared: largest, random."
    others = [student("winner", 100, 0.9), student("largest", 200, 0.8)]
    assert not any("Not trained" in note for note in verdict(others).notes)


def test_a_verdict_is_read_back_from_a_run_folder(tmp_path: Path) -> None:
    found = verdict([student("winner", 200, 0.951), student("smallest", 50, 0.950)])
    path = tmp_path / "result.json"
    path.write_text(json.dumps({"verdict": found.to_json()}))
    assert read_verdict(tmp_path) == found
    path.write_text("{}")
    assert read_verdict(tmp_path) is None


@pytest.mark.parametrize("wrong", [3, {}, {"take": 1}, {"take": "a", "architecture": "b"}])
def test_the_error_names_a_damaged_verdict(tmp_path: Path, wrong: object) -> None:
    (tmp_path / "result.json").write_text(json.dumps({"verdict": wrong}))
    with pytest.raises(RunFolderError, match="damaged"):
        read_verdict(tmp_path)


def distances(mean: float) -> torch.Tensor:
    """Return errors with a given mean and the same deviations."""
    return mean + torch.linspace(-0.5, 0.5, 100, dtype=torch.double)


def test_lower_is_better_for_such_metrics() -> None:
    def placed(label: str, params: int, mean: float, loss: str = "diswot") -> TrainedStudent:
        values = distances(mean), distances(mean)
        return TrainedStudent(label, f"net-{label}", Costs(params, params), loss, *values)

    students = [placed("winner", 200, 2.0), placed("smallest", 50, 3.0)]
    teacher = Measure("error", 5.0, 4.5, 5.5, 100, "mm", higher_is_better=False)
    found = pipeline.verdict(
        [*students, placed("winner", 200, 1.5, loss="alone")], Sentences(), teacher=teacher
    )
    assert found.take == "winner"
    assert "lowest validation error, 2 mm" in found.reason
    assert "the smallest student (net-smallest), is behind, +1 mm [+1, +1]" in found.reason
    assert "Test error (the test split is not used for selection): 2 mm [1, 4]." in found.notes
    assert any(note.startswith("The teacher loses") for note in found.notes)
    assert any(note.startswith("The teacher is behind") for note in found.notes)
    assert any("sampling of sentences" in note for note in found.notes)
    baseline = [placed("winner", 90, 3.0), placed("largest", 200, 2.0)]
    taken = pipeline.verdict(baseline, Sentences())
    assert taken.take == "largest"
    assert "The winner of the search (net-winner) is behind (+1 mm" in taken.reason


def test_the_interval_of_a_difference_has_its_nominal_coverage() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(1000):
        both, one, other = rng.random((3, 200)) < np.array([[0.8], [0.12], [0.05]])
        first, second = both | one, both | other
        truth = 0.2 * (0.12 - 0.05)
        found = paired_difference(torch.tensor(first), torch.tensor(second))
        covered += found.low <= truth <= found.high
    assert 930 <= covered <= 980


def test_a_paired_interval_is_narrower_than_an_unpaired_one() -> None:
    one, other = right(0.90), right(0.88)
    paired = paired_difference(one, other)
    assert paired.value == pytest.approx(0.02)
    assert paired.low > 0
    assert accuracy(900, 1000).low < accuracy(880, 1000).high


@pytest.mark.parametrize("shapes", [((3,), (4,)), ((0,), (0,)), ((2, 2), (2, 2))])
def test_predictions_of_different_images_are_refused(shapes: tuple[tuple[int, ...], ...]) -> None:
    with pytest.raises(ValueError, match="the same examples"):
        paired_difference(*(torch.zeros(shape, dtype=torch.bool) for shape in shapes))
