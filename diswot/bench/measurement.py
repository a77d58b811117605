"""The terms of any number of scorers for many architectures, measured once and kept."""

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
from diswot.tasks import find_task
from diswot.tasks.images import EnlargedImages, load_data

CHUNK = 50
"""Architectures whose costs are counted in one task."""


TEACHERS = {DEFAULT_TASK: "resnet110"}
"""By task, where no teacher is named and it is not the task's."""


def teacher_for(task: str, named: str | None) -> str:
    """Return the teacher that is named, else the one of a task."""
    return named or TEACHERS.get(task) or find_task(task).teacher


def readable(scorers: Sequence[str], task: str, progress: Progress) -> tuple[str, ...]:
    """Return the scorers whose inputs networks of a task give; the others are named.

    Raises:
        OptionError: there is none but those that read costs alone.
    """
    gives = find_task(task).reads
    reads = {name: find_scorer(name).card.reads for name in scorers}
    missing = {name: [each for each in reads[name] if each not in gives] for name in scorers}
    found = tuple(name for name in scorers if not missing[name])
    if left_out := [name for name in scorers if missing[name]]:
        what = sorted({read for name in left_out for read in missing[name]})
        progress(
            message(
                "scorers",
                f"left out, since they read {', '.join(what)}, which networks "
                f"of the task {task} do not give: {', '.join(left_out)}",
            )
        )
    if left_out and all(find_scorer(name).card.cost == "nothing" for name in found):
        raise OptionError(f"the task {task} gives none of the scorers what they read: name others")
    return found


@dataclass(frozen=True)
class MeasurementSettings:
    """All that a measurement depends on, but the architectures.

    Attributes:
        space: a built-in name or `package.module:Class`.
        data: a dataset's name.
        teacher: a teacher's name.
        scorers: names or expressions.
        repeats: initializations and batches.
        batch_size: images in a batch.
        seed: of batches, teachers and students.
        teacher_state: whether the teacher is at random initialization, or trained.
        teacher_weights: a checkpoint to load into it.
        modules: what registers further scorers, in worker processes too.
        data_root: where datasets lie.
        device: where to compute.
        task: what kind of data these are.
        image_size: height and width that images are brought to; by default those they have.
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
        """Return what values depend on: neither a place on disk nor a device."""
        left_out = ["data_root", "device"]
        left_out += ["task"] * (self.task == DEFAULT_TASK)
        if self.image_size is None:  # as it was before there was a choice
            left_out.append("image_size")
        return {name: value for name, value in asdict(self).items() if name not in left_out}


@dataclass(frozen=True)
class Measured:
    """What is known of one architecture.

    Attributes:
        params: parameters.
        macs: multiply-adds.
        terms: each term's value in each repeat, those that failed left out.
        failures: why a term failed.
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
    """Measure all terms of all architectures; resumed where it stopped.

    Isomorphic architectures are scored once, and costs counted for each. A term that
    fails costs its architecture no other term.

    Args:
        settings: what is measured.
        architectures: names, in the order of the result.
        folder: a new folder, or one that was started with the same settings.
        workers: processes.
        progress: called with every architecture.
        about: what else the folder's manifest is to say, and must agree in.
    """
    evaluator = evaluator_for(settings)
    space = evaluator.space
    keys = {name: space.canonical_key(space.from_string(name)) for name in architectures}
    first = {key: name for name, key in reversed(keys.items())}
    with RecordStore(folder, {**(about or {}), **settings.to_json()}, key=["kind", "of"]) as store:
        unscored = [key for key in dict.fromkeys(keys.values()) if _left(key, store)]
        counted_with = {first[key] for key in unscored}  # a score's costs are counted with it
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
    """Return the evaluator; the last one is kept."""
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


def _data(settings: MeasurementSettings) -> str | EnlargedImages:
    if settings.image_size is None:
        return settings.data
    return EnlargedImages.of(load_data(settings.data, root=settings.data_root), settings.image_size)


def _count(settings: MeasurementSettings, names: Sequence[str]) -> list[dict[str, Any]]:
    evaluator = evaluator_for(settings)
    return [_counted(name, evaluator.costs(evaluator.space.from_string(name))) for name in names]


def _counted(name: str, costs: Costs) -> dict[str, Any]:
    return {"kind": "costs", "of": name, "params": costs.params, "macs": costs.macs}


def _score(settings: MeasurementSettings, key: str, name: str) -> list[dict[str, Any]]:
    evaluator = evaluator_for(settings)
    arch = evaluator.space.from_string(name)
    started = time.perf_counter()
    values: dict[str, list[float]] = {}
    failures: dict[str, str] = {}
    costs = evaluator.costs(arch)
    for number in range(evaluator.repeats):
        with evaluator.probe(arch, number, costs) as (student, teacher), torch.no_grad():
            for term, compute in evaluator.scorer.terms.items():
                try:
                    value = float(compute(student, teacher))
                    if not math.isfinite(value):
                        raise FloatingPointError(f"it is {value}")
                    values.setdefault(term, []).append(value)
                except Exception as error:  # noqa: BLE001  (it must cost no other term)
                    failures[term] = f"{type(error).__name__}: {first_line(error)}"
    seconds = round(time.perf_counter() - started, 4)
    terms = {term: value for term, value in values.items() if term not in failures}
    scored = {"kind": "terms", "of": key, "terms": terms, "failures": failures, "seconds": seconds}
    return [_counted(name, costs), scored]


def _measured(name: str, key: str, store: RecordStore, evaluator: Evaluator) -> Measured:
    costs, scored = store.records["costs", name], store.records["terms", key]
    found = Costs(costs["params"], costs["macs"])
    terms = {term: tuple(values) for term, values in scored["terms"].items()}
    terms |= evaluator.cost_terms(found)
    return Measured(found.params, found.macs, terms, scored["failures"])
