"""Short trainings of the candidates of a search."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from diswot.errors import RunFolderError
from diswot.progress import Step
from diswot.search import Plan, SearchResult, TrainingBudget
from diswot.search.few_shot import train_briefly
from diswot.seeding import torch_seed
from diswot.tasks.images import load_data
from diswot.training import Distillation, prepare_distillation
from search_spaces import Choice, ChoiceSpace
from tests.dask_cluster import ONE_THREAD, scheduler, workers
from tests.search.conftest import search

PLAN = Plan(trainings=6, epochs=1)


class Broken(torch.nn.Sequential):
    """A network whose outputs are not finite in training."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = super().forward(x)  # type: ignore[no-untyped-call]
        return found * torch.nan if self.training and torch.is_grad_enabled() else found


class Wide(ChoiceSpace):
    """Sixteen networks of one layer; with `fails`, networks of odd width cannot be trained."""

    width = Choice(*range(2, 18))
    fails = False

    def build(self, arch: tuple[int], num_classes: int) -> torch.nn.Module:
        kind = Broken if self.fails and arch[0] % 2 else torch.nn.Sequential
        return kind(
            torch.nn.Conv2d(1, arch[0], 3, stride=4),
            torch.nn.BatchNorm2d(arch[0]),
            torch.nn.ReLU(),
            torch.nn.AdaptiveAvgPool2d(1),
            torch.nn.Flatten(),
            torch.nn.Linear(arch[0], num_classes),
        )


class Failing(Wide):
    fails = True


class Constant(torch.nn.Module):
    """The same outputs for all images."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 0 * x


class Uneven(Wide):
    """Wide networks learn at once, and narrow ones never."""

    def build(self, arch: tuple[int], num_classes: int) -> torch.nn.Module:
        layers = [torch.nn.Conv2d(1, arch[0], 3, stride=2), torch.nn.ReLU(), torch.nn.Flatten()]
        last = [] if arch[0] >= 10 else [Constant()]
        return torch.nn.Sequential(*layers, torch.nn.Linear(49 * arch[0], num_classes), *last)


def distillation_of(images: int) -> Distillation:
    whole = load_data("digits")
    data = replace(whole, train=whole.train.take(torch.arange(images)))
    with torch_seed(0):
        teacher = Wide().build((16,), 10)
    return prepare_distillation(teacher, data=data, epochs=4, train_batch_size=16, force=True)


@pytest.fixture(name="distillation", scope="module")
def fixture_distillation() -> Distillation:
    return distillation_of(32)


@pytest.fixture(name="found", scope="module")
def fixture_found() -> SearchResult:
    return search(space=Wide(), scorer="params", engine="exhaustive")


def outcome(result: SearchResult) -> tuple[object, ...]:
    return result.trainings, result.order, result.best.name


def test_all_candidates_are_ranked_after_short_trainings(
    found: SearchResult, distillation: Distillation
) -> None:
    result = train_briefly(found, distillation, PLAN, progress=lambda _: None)
    assert [each.epochs for each in result.trainings] == [1] * 6
    assert result.best == result.promising[0] == result.shortlist(1)[0]
    assert sorted(result.order) == sorted(each.key for each in found.ranking)
    assert found.order == ()


@pytest.mark.slow
@pytest.mark.processes
def test_the_number_of_workers_does_not_change_the_result(
    found: SearchResult, distillation: Distillation
) -> None:
    alone = train_briefly(found, distillation, PLAN, progress=lambda _: None)
    both = train_briefly(found, distillation, PLAN, workers=2, progress=lambda _: None)
    assert outcome(alone) == outcome(both)


@pytest.mark.slow
@pytest.mark.processes
def test_a_cluster_does_not_change_the_result(
    found: SearchResult, distillation: Distillation, tmp_path: Path
) -> None:
    pytest.importorskip("distributed", reason="the extra dask is not installed")
    alone = train_briefly(found, distillation, PLAN, progress=lambda _: None)
    with scheduler(tmp_path) as address, workers(address, 2, *ONE_THREAD):
        there = train_briefly(found, distillation, PLAN, cluster=address, progress=lambda _: None)
    assert outcome(alone) == outcome(there)


def test_finished_short_trainings_are_reused(
    found: SearchResult, distillation: Distillation, tmp_path: Path
) -> None:
    kept = replace(found, folder=tmp_path)
    first = train_briefly(kept, distillation, PLAN, progress=lambda _: None)
    journal = tmp_path / "trainings.jsonl"
    content = journal.read_bytes()
    journal.write_bytes(content[:-30])  # killed while it wrote the last one
    again = train_briefly(kept, distillation, PLAN, progress=lambda _: None)
    assert outcome(first) == outcome(again)
    lines = [json.loads(line) for line in journal.read_bytes().splitlines()]
    assert [line["key"] for line in lines] == [each.key for each in first.trainings]
    assert content.startswith(b"".join(journal.read_bytes().splitlines(keepends=True)[:5]))
    journal.write_bytes(content.replace(b'"value": 0.', b'"value": 1.', 1))
    with pytest.raises(RunFolderError, match=r"line \d of .* is damaged"):
        train_briefly(kept, distillation, PLAN, progress=lambda _: None)


def test_failed_trainings_are_recorded_and_counted(distillation: Distillation) -> None:
    found = search(space=Failing(), scorer="params", engine="exhaustive")
    result = train_briefly(found, distillation, PLAN, progress=lambda _: None)
    assert len(result.trainings) == 6
    failed = [each for each in result.trainings if each.failure]
    assert failed
    assert all(each.value is None for each in failed)
    assert not {each.key for each in failed} & {result.best.key}


def test_a_resumed_search_stops_the_same_trainings(tmp_path: Path) -> None:
    uneven = search(space=Uneven(), scorer="params", engine="exhaustive")
    distillation = distillation_of(300)
    kept, plan = replace(uneven, folder=tmp_path), Plan(trainings=16, epochs=2)
    first = train_briefly(kept, distillation, plan, progress=lambda _: None)
    assert not any(each.stopped for each in first.trainings[:8])
    stopped = {each.architecture for each in first.trainings if each.stopped}
    assert {f"width={width}" for width in (3, 4, 6, 7, 8, 9)} <= stopped
    assert all(len(each.curve) == each.spent for each in first.trainings)
    assert all(each.curve[-1] == each.value for each in first.trainings)
    journal = tmp_path / "trainings.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:10]) + lines[10][:20])  # killed in the third four
    assert outcome(train_briefly(kept, distillation, plan, progress=lambda _: None)) == outcome(
        first
    )
    assert journal.read_bytes().count(b"\n") == 16


def test_trainings_that_are_not_worth_their_cost_are_left_out(
    found: SearchResult, distillation: Distillation
) -> None:
    steps: list[Step] = []
    plan = TrainingBudget.chosen(None, 2, "3x").plan(2)  # as long as a full training
    result = train_briefly(found, distillation, plan, progress=steps.append)
    assert (plan.trainings, result.trainings) == (1, ())
    assert any("full trainings are worth more" in step.note for step in steps)
    assert result.promising == found.ranking


def test_recorded_trainings_that_would_not_be_chosen_count(
    found: SearchResult, distillation: Distillation, tmp_path: Path
) -> None:
    kept = replace(found, folder=tmp_path)
    first = train_briefly(kept, distillation, PLAN, progress=lambda _: None)
    journal = tmp_path / "trainings.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[3:]))  # an order that this version does not choose
    again = train_briefly(kept, distillation, PLAN, progress=lambda _: None)
    assert again.trainings[:3] == first.trainings[3:]
    assert len(again.trainings) == len(first.trainings)


def test_a_time_budget_ends_the_short_trainings(
    found: SearchResult, distillation: Distillation
) -> None:
    plan = TrainingBudget.chosen(None, 1, "0.001min").plan(4)
    result = train_briefly(found, distillation, plan, progress=lambda _: None)
    assert len(result.trainings) == 4
    assert TrainingBudget.chosen(None, 1, "0.001min").plan(4, result.trainings).shortlist == 1


def test_fewer_than_three_results_fall_back_to_the_score(
    found: SearchResult, distillation: Distillation
) -> None:
    message: list[Step] = []
    result = train_briefly(found, distillation, replace(PLAN, trainings=2), progress=message.append)
    assert result.best.name == found.best.name
    assert result.promising == found.ranking
    assert any("only the score ranks" in step.note for step in message)


def test_more_trainings_than_candidates_train_all(
    found: SearchResult, distillation: Distillation
) -> None:
    message: list[Step] = []
    plan = replace(PLAN, trainings=50)
    result = train_briefly(found, distillation, plan, progress=message.append)
    assert len(result.trainings) == 16
    assert any("16 candidates are in budget" in step.note for step in message)
