"""Measure the terms of several scorers for many architectures, once and resumable."""

import importlib
import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

import diswot.bench.variants  # noqa: F401  (registers scorers, in worker processes too)
from diswot.bench.record_store import RecordStore, processes
from diswot.errors import OptionError, first_line
from diswot.finished import as_finished
from diswot.networks.costs import Costs
from diswot.options import DEFAULT_TASK
from diswot.progress import Progress, Step, message
from diswot.scorers import all_terms, find_scorer
from diswot.search import Evaluator, TeacherState, resolve_scoring
from diswot.tasks import Dataset, find_task
from diswot.tasks.images import load_resized

CHUNK = 50
"""Number of architectures whose costs are counted in one job of the pool."""


TEACHERS = {DEFAULT_TASK: "resnet110"}
"""Task → default teacher of benchmarks, where it differs from the task's default."""


def teacher_for(task: str, named: str | None) -> str:
    """Return `named`, or the default teacher of benchmarks for a task."""
    return named or TEACHERS.get(task) or find_task(task).teacher


def readable(scorers: Sequence[str], task: str, progress: Progress) -> tuple[str, ...]:
    """Return the scorers that can score networks of a task; report the others.

    Raises:
        OptionError: none is left except those that read costs only.
    """
    gives = find_task(task).reads
    reads = {name: find_scorer(name).card.reads for name in scorers}
    missing = {name: [item for item in reads[name] if item not in gives] for name in scorers}
    results = tuple(name for name in scorers if not missing[name])
    if left_out := [name for name in scorers if missing[name]]:
        what = sorted({read for name in left_out for read in missing[name]})
        progress(
            message(
                "scorers",
                f"left out, since they read {', '.join(what)}, which networks of the task "
                f"{task} do not provide: {', '.join(left_out)}",
            )
        )
    if left_out and all(find_scorer(name).card.cost == "nothing" for name in results):
        raise OptionError(f"the task {task} provides what none of the scorers read: name others")
    return results


@dataclass(frozen=True)
class MeasurementSettings:
    """Settings of a measurement, without the architectures.

    Attributes:
        space: name of a built-in search space, or `package.module:Class`.
        data: name of the dataset.
        teacher: name of the teacher.
        scorers: names or expressions of scorers.
        repeats: initializations and batches per score.
        batch_size: images in a batch.
        seed: seed of batches, teachers and students.
        teacher_state: whether the teacher is at random initialization, or trained.
        teacher_weights: a checkpoint to load into it.
        modules: Python modules that register further scorers; imported in workers too.
        data_root: folder of datasets.
        device: device such as `cpu` or `cuda:0`; by default a GPU if there is one.
        task: name of the task.
        image_size: height and width to which images are resized; `None` to keep their size.
    """

    space: str
    data: str
    teacher: str
    scorers: tuple[str, ...]
    repeats: int = 3
    batch_size: int = 64
    seed: int = 0
    teacher_state: TeacherState = "random"
    teacher_weights: str | None = None
    modules: tuple[str, ...] = ()
    data_root: str | None = None
    device: str | None = None
    task: str = DEFAULT_TASK
    image_size: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the settings that values depend on, without data root and device."""
        left_out = ["data_root", "device"]
        left_out += ["task"] * (self.task == DEFAULT_TASK)
        if self.image_size is None:  # compatible with earlier manifests, which lack it
            left_out.append("image_size")
        return {name: value for name, value in asdict(self).items() if name not in left_out}


@dataclass(frozen=True)
class Measured:
    """Measurements of one architecture.

    Attributes:
        params: number of parameters.
        macs: number of multiply-adds of one input.
        terms: term → its values, one per repeat; without terms that failed.
        failures: term → message of its error.
    """

    params: int
    macs: int
    terms: Mapping[str, tuple[float, ...]]
    failures: Mapping[str, str]


def measure(
    settings: MeasurementSettings,
    architectures: Sequence[str],
    folder: Path,
    *,
    workers: int = 1,
    progress: Progress,
    about: Mapping[str, Any] | None = None,
) -> list[Measured]:
    """Measure all terms of all architectures; resumable.

    Isomorphic architectures are scored once, but costs are counted for each. If a term fails,
    the other terms of the architecture are still measured.

    Args:
        settings: space, data, teacher, scorers and so on.
        architectures: architectures as strings, in the order of the result.
        folder: a new folder, or an interrupted one with the same settings, which is resumed.
        workers: number of processes.
        progress: called after every architecture.
        about: further entries of the folder's manifest, which must agree when it is resumed.
    """
    evaluator = evaluator_for(settings)
    space = evaluator.space
    # Isomorphic architectures have equal scores, so each class is scored once, by its first name.
    keys = {name: space.canonical_key(space.from_string(name)) for name in architectures}
    first = {key: name for name, key in reversed(keys.items())}
    with RecordStore(folder, {**(about or {}), **settings.to_json()}, key=["kind", "of"]) as store:
        unscored = [key for key in dict.fromkeys(keys.values()) if _left(key, store)]
        counted_with = {first[key] for key in unscored}  # scoring counts the costs, too
        uncounted = [n for n in architectures if ("costs", n) not in store.records]
        uncounted = [n for n in uncounted if n not in counted_with]
        total = len(uncounted) + 2 * len(unscored)
        done = 0
        with processes(workers) as pool:
            counts = [
                pool.submit(_count, settings, uncounted[i : i + CHUNK])
                for i in range(0, len(uncounted), CHUNK)
            ]
            scored = [pool.submit(_score, settings, key, first[key]) for key in unscored]
            for records in _results([*counts, *scored]):
                store.append(*records)
                done += len(records)
                progress(Step("measure", done, total))
        return [_measured(name, keys[name], store, evaluator) for name in architectures]


def _left(key: str, store: RecordStore) -> bool:
    return ("terms", key) not in store.records


def _results(waiting: Iterable[Future[list[dict[str, Any]]]]) -> Iterator[list[dict[str, Any]]]:
    for ready in as_finished(waiting):
        yield ready.result()


@lru_cache(maxsize=1)
def evaluator_for(settings: MeasurementSettings) -> Evaluator:
    """Return the evaluator of some settings; the latest one is cached."""
    for module in settings.modules:
        importlib.import_module(module)
    return resolve_scoring(
        settings.teacher,
        settings.space,
        task=settings.task,
        data=_data(settings),
        data_root=settings.data_root,
        scorer=all_terms(settings.scorers),
        repeats=settings.repeats,
        batch_size=settings.batch_size,
        teacher_state=settings.teacher_state,
        teacher_weights=settings.teacher_weights,
        seed=settings.seed,
        device=settings.device,
    ).evaluator


def _data(settings: MeasurementSettings) -> str | Dataset:
    if settings.image_size is None:
        return settings.data
    return load_resized(settings.data, settings.image_size, root=settings.data_root)


def _count(settings: MeasurementSettings, names: Sequence[str]) -> list[dict[str, Any]]:
    evaluator = evaluator_for(settings)
    return [_counted(evaluator, name)[1] for name in names]


def _counted(evaluator: Evaluator, name: str) -> tuple[Costs, dict[str, Any]]:
    """Return the costs of an architecture, and their record."""
    started = time.perf_counter()
    costs = evaluator.costs(evaluator.space.from_string(name))
    counts = {"params": costs.params, "macs": costs.macs}
    seconds = round(time.perf_counter() - started, 4)
    return costs, {"kind": "costs", "of": name, **counts, "seconds": seconds}


def _score(settings: MeasurementSettings, key: str, name: str) -> list[dict[str, Any]]:
    evaluator = evaluator_for(settings)
    arch = evaluator.space.from_string(name)
    costs, counted = _counted(evaluator, name)
    started = time.perf_counter()
    values: dict[str, list[float]] = {}
    failures: dict[str, str] = {}
    for number in range(evaluator.repeats):
        with evaluator.probe(arch, number, costs) as (student, teacher), torch.no_grad():
            for term, compute in evaluator.scorer.terms.items():
                try:
                    value = float(compute(student, teacher))
                    if not math.isfinite(value):
                        raise FloatingPointError(f"it is {value}")
                    # A term is kept only if it succeeds in all repeats.
                    values.setdefault(term, []).append(value)
                except Exception as error:  # noqa: BLE001  (the other terms are still measured)
                    failures[term] = f"{type(error).__name__}: {first_line(error)}"
    seconds = round(time.perf_counter() - started, 4)
    terms = {term: value for term, value in values.items() if term not in failures}
    scored = {"kind": "terms", "of": key, "terms": terms, "failures": failures, "seconds": seconds}
    return [counted, scored]


def _measured(name: str, key: str, store: RecordStore, evaluator: Evaluator) -> Measured:
    costs, scored = store.records["costs", name], store.records["terms", key]
    result = Costs(costs["params"], costs["macs"])
    terms = {term: tuple(values) for term, values in scored["terms"].items()}
    terms |= evaluator.cost_terms(result)
    return Measured(result.params, result.macs, terms, scored["failures"])
