"""Run short trainings of candidates in parallel and record each as soon as it ends."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch

from diswot.errors import DiswotError, OptionError, first_line
from diswot.progress import Progress, Step, message
from diswot.runs import SHORT_TRAININGS, RecordFile
from diswot.search._brief_training import BriefTraining
from diswot.search._candidate import Candidate
from diswot.search._result import SearchResult
from diswot.search._training_budget import AT_ONCE, Plan
from diswot.search.few_shot._curves import expected_values, least_values
from diswot.search.few_shot._features import features
from diswot.search.few_shot._pool import Shared, executor_of
from diswot.search.few_shot._ranker import FEWEST, Ranker
from diswot.seeding import seed_for
from diswot.students import build_student
from diswot.tasks import Measure
from diswot.training import Distillation
from search_spaces import SearchSpace


@dataclass(frozen=True)
class Trainer:
    """Trains candidates briefly; sent once to every worker.

    Attributes:
        space: the search space of the candidates.
        distillation: teacher, data and recipe, with the epochs of a short training.
        seed: base seed of initial weights, as in the full training of a candidate.
        threads: torch threads of each training.
    """

    space: SearchSpace
    distillation: Distillation
    seed: int
    threads: int

    def train(self, name: str, key: str, least: Sequence[float]) -> BriefTraining:
        """Train a candidate; an exception becomes the result's `failure`.

        Args:
            name: name of its architecture.
            key: its canonical key, from which the seed is derived.
            least: values after each epoch below which the training is stopped.
        """
        started, epochs = time.perf_counter(), self.distillation.recipe.epochs
        curve: tuple[float, ...] = ()
        value, failure = None, None
        before = torch.get_num_threads()
        torch.set_num_threads(self.threads)
        try:
            curve = self._curve(name, key, least)
            value = curve[-1]
            if not math.isfinite(value):
                value, failure, curve = None, f"its result is {value}", ()
        except (DiswotError, RuntimeError, ValueError, MemoryError) as error:
            failure = f"{type(error).__name__}: {first_line(error)}"
        finally:
            torch.set_num_threads(before)
        seconds = time.perf_counter() - started
        return BriefTraining(key, name, epochs, value, failure, seconds, curve)

    def _curve(self, name: str, key: str, least: Sequence[float]) -> tuple[float, ...]:
        """Train a candidate, and return its best measure so far after each epoch."""
        data, curve = self.distillation.data, list[float]()

        def hopeless(epoch: int, best: Measure) -> bool:
            curve.append(best.merit)
            return best.merit < least[epoch - 1]

        seed = seed_for(self.seed, "student", key)
        arch = self.space.from_string(name)
        student = build_student(self.space, arch, data.signature, seed=seed)
        training = self.distillation.train(student, loss=data.task.losses[1], stop=hopeless)
        ended = len(training.history) > len(curve)  # it is not asked after the last epoch
        return (*curve, training.val.merit) if ended else tuple(curve)


def train_briefly(
    result: SearchResult,
    distillation: Distillation,
    plan: Plan,
    *,
    workers: int = 1,
    cluster: str | None = None,
    progress: Progress,
) -> SearchResult:
    """Run short trainings of promising candidates and rank all candidates with the results.

    Trainings recorded in the run folder by an earlier call are not repeated.

    Args:
        result: the result of a search, with its space.
        distillation: teacher, data and the recipe of a full training.
        plan: number of short trainings and their epochs.
        workers: number of processes on this machine.
        cluster: address of a Dask scheduler, whose workers are used instead.
        progress: called after every training.

    Returns:
        `result` with `trainings`, `order` and the most promising candidate as `best`.

    Raises:
        RunFolderError: the recorded trainings are damaged.
        OptionError: the result has no space, workers or cluster cannot be used, or the recipe
            does not allow so few epochs.
    """
    if result.space is None:
        raise OptionError("Expected a search with its space, but got one that was read without it")
    settings = result.manifest["settings"]
    short = replace(distillation, recipe=replace(distillation.recipe, epochs=plan.epochs))
    trainer = Trainer(result.space, short, settings["seed"], settings["threads"])
    candidates = [*{each.key: each for each in reversed(result.ranking)}.values()][::-1]
    _report_asked(plan, len(candidates), progress)
    ranker = Ranker(features(candidates), np.array([each.score for each in candidates], float))
    places = {each.key: place for place, each in enumerate(candidates)}
    done: dict[int, BriefTraining] = {}
    record = Journal(result.folder, plan.epochs)
    with executor_of(trainer, workers, cluster) as (executor, shared):
        recorded = [places[key] for key in record.known if key in places]
        while chosen := _chosen(plan, ranker, done, recorded):
            count = len(done) + plan.left(done.values())
            least = least_values(done.values(), plan.epochs)
            for each in _trained(
                [candidates[place] for place in chosen], least, record, executor, shared
            ):
                done[places[each.key]] = each
                progress(_step(each, len(done), count))
    results = expected_values(done)
    _report_results(len(results), plan.left(done.values()) if plan.adaptive else 0, progress)
    failed = {place for place, each in done.items() if each.value is None}
    ranked = sorted(ranker.ranking(results).tolist(), key=failed.__contains__)
    order = [candidates[place] for place in ranked]  # what cannot be trained is the last
    return replace(
        result,
        best=order[0],
        trainings=tuple(done.values()),
        order=tuple(each.key for each in order),
    )


def _chosen(
    plan: Plan, ranker: Ranker, done: Mapping[int, BriefTraining], recorded: Sequence[int]
) -> list[int]:
    """Return the places of the next candidates to train; none if the others are worth more.

    Args:
        plan: number of short trainings and their epochs.
        ranker: ranks the candidates.
        done: short trainings so far, by place.
        recorded: places of all recorded trainings. Those of a version that chose others come
            before what this one would choose.
    """
    left = min(plan.left(done.values()), len(ranker) - len(done))
    results, count = expected_values(done), min(AT_ONCE, left)
    stopped = (
        plan.adaptive
        and (done or plan.seconds is None)
        and not ranker.worthwhile(results, left, lambda more: plan.full(done.values(), more))
    )
    proposed = [] if stopped else ranker.proposals(results, count, tried=frozenset(done))
    earlier = [place for place in recorded if place not in done][: max(count, 0)]
    return proposed if {*earlier} <= {*proposed} else earlier


def _report_asked(plan: Plan, candidates: int, progress: Progress) -> None:
    """Report that more trainings were asked for than there are candidates, if so."""
    if plan.trainings is not None and candidates < plan.trainings:
        said = f"{plan.trainings} were asked for, and {candidates} candidates are in budget: "
        progress(message("short trainings", f"{said}all of them"))


def _report_results(results: int, left: int, progress: Progress) -> None:
    """Report if the rest of the budget goes to full trainings, or results are too few to rank."""
    if left > 0:
        said = f"{results} are enough: full trainings are worth more than {left} further short ones"
        progress(message("short trainings", said))
    if results < FEWEST:
        said = f"{results} results, fewer than {FEWEST}: only the score ranks"
        progress(message("short trainings", said))


def _step(training: BriefTraining, done: int, count: int) -> Step:
    """Return what a training that has ended reports."""
    value = training.failure or f"{training.value:.4g}"
    stopped = f", stopped after {training.spent} epochs" if training.stopped else ""
    note = f"{training.architecture}: {value}{stopped}"
    values = {} if training.value is None else {"val": training.value}
    return Step("short trainings", done, count, note, values=values, at=done)


def _trained(
    candidates: Sequence[Candidate],
    least: Sequence[float],
    record: "Journal",
    executor: Executor,
    shared: Shared,
) -> Iterator[BriefTraining]:
    """Train candidates that are not recorded, in parallel; yield all results in order."""
    futures = {
        each.key: executor.submit(shared.call, "train", each.name, each.key, least)
        for each in candidates
        if each.key not in record.known
    }
    for each in candidates:
        if each.key in futures:
            record.append(futures[each.key].result())
        yield record.known[each.key]


class Journal:
    """Records short trainings on disk as soon as they end.

    Args:
        folder: the run folder; `None` keeps them in memory only.
        epochs: epochs of a short training; recorded trainings of other lengths are ignored.
    """

    def __init__(self, folder: Path | None, epochs: int) -> None:
        self._file = None if folder is None else RecordFile(folder / SHORT_TRAININGS)
        found = self._file.read(BriefTraining.from_json) if self._file else []
        self.known = {each.key: each for each in found if each.epochs == epochs}

    def append(self, training: BriefTraining) -> None:
        """Record a training; it is on disk when this returns."""
        self.known[training.key] = training
        if self._file is not None:
            self._file.append(asdict(training))
