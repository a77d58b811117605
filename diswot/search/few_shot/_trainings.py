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
from diswot.runs import RecordFile
from diswot.search._candidate import Candidate
from diswot.search._result import BriefTraining, SearchResult
from diswot.search._training_budget import Plan
from diswot.search.few_shot._features import features
from diswot.search.few_shot._pool import Shared, executor_of
from diswot.search.few_shot._ranker import FEWEST, Ranker
from diswot.seeding import seed_for
from diswot.students import build_student
from diswot.training import Distillation
from search_spaces import SearchSpace

AT_ONCE = 4
"""Number of trainings proposed together, independent of the number of workers, so that workers
do not change the result."""

JOURNAL = "trainings.jsonl"


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

    def train(self, name: str, key: str) -> BriefTraining:
        """Train a candidate; an exception becomes the result's `failure`.

        Args:
            name: name of its architecture.
            key: its canonical key, from which the seed is derived.
        """
        started, epochs = time.perf_counter(), self.distillation.recipe.epochs
        value: float | None
        failure: str | None
        before = torch.get_num_threads()
        torch.set_num_threads(self.threads)
        try:
            found = self._value(name, key)
            finite = math.isfinite(found)
            value, failure = (found, None) if finite else (None, f"its result is {found}")
        except (DiswotError, RuntimeError, ValueError, MemoryError) as error:
            value, failure = None, f"{type(error).__name__}: {first_line(error)}"
        finally:
            torch.set_num_threads(before)
        return BriefTraining(key, name, epochs, value, failure, time.perf_counter() - started)

    def _value(self, name: str, key: str) -> float:
        data = self.distillation.data
        seed = seed_for(self.seed, "student", key)
        arch = self.space.from_string(name)
        student = build_student(self.space, arch, data.signature, seed=seed)
        return self.distillation.train(student, loss=data.task.losses[1]).val.merit


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
    count = min(plan.trainings, len(candidates))
    if count < plan.trainings:
        said = f"{plan.trainings} were asked for, and {count} candidates are in budget: all of them"
        progress(message("short trainings", said))
    ranker = Ranker(features(candidates), np.array([each.score for each in candidates], float))
    places = {each.key: place for place, each in enumerate(candidates)}
    done: dict[int, BriefTraining] = {}
    record = Journal(None if result.folder is None else result.folder / JOURNAL, plan.epochs)
    with executor_of(trainer, workers, cluster) as (executor, shared):
        while len(done) < count:
            chosen = ranker.proposals(
                _results(done), min(AT_ONCE, count - len(done)), tried=frozenset(done)
            )
            for each in _trained([candidates[place] for place in chosen], record, executor, shared):
                done[places[each.key]] = each
                progress(_step(each, len(done), count))
    if len(_results(done)) < FEWEST:
        said = f"{len(_results(done))} results, fewer than {FEWEST}: only the score ranks"
        progress(message("short trainings", said))
    failed = {place for place, each in done.items() if each.value is None}
    ranked = sorted(ranker.ranking(_results(done)).tolist(), key=failed.__contains__)
    order = [candidates[place] for place in ranked]  # those whose training failed come last
    return replace(
        result,
        best=order[0],
        trainings=tuple(done.values()),
        order=tuple(each.key for each in order),
    )


def _step(training: BriefTraining, done: int, count: int) -> Step:
    """Return the progress report of a training."""
    value = training.value
    note = f"{training.architecture}: {training.failure or f'{value:.4g}'}"
    values = {} if value is None else {"val": value}
    return Step("short trainings", done, count, note, values=values, at=done)


def _results(done: Mapping[int, BriefTraining]) -> dict[int, float]:
    return {place: each.value for place, each in done.items() if each.value is not None}


def _trained(
    candidates: Sequence[Candidate], record: "Journal", executor: Executor, shared: Shared
) -> Iterator[BriefTraining]:
    """Train candidates that are not recorded, in parallel; yield all results in order."""
    futures = {
        each.key: executor.submit(shared.call, "train", each.name, each.key)
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
        path: the file; `None` keeps them in memory only.
        epochs: epochs of a short training; recorded trainings of other lengths are ignored.
    """

    def __init__(self, path: Path | None, epochs: int) -> None:
        self._file = None if path is None else RecordFile(path)
        found = self._file.read(lambda record: BriefTraining(**record)) if self._file else []
        self.known = {each.key: each for each in found if each.epochs == epochs}

    def append(self, training: BriefTraining) -> None:
        """Record a training; it is on disk when this returns."""
        self.known[training.key] = training
        if self._file is not None:
            self._file.append(asdict(training))
