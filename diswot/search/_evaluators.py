"""Who evaluates: this process, workers on this machine, or a cluster."""

import hashlib
import os
import pickle
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from importlib import import_module
from typing import Any

import cloudpickle

from diswot.costs import Costs
from diswot.errors import MissingExtraError, OptionError, first_line
from diswot.search._evaluation import Evaluator, Outcome
from diswot.workers import InProcess, Workers, check_workers
from search_spaces import Architecture

PATIENCE = 10
"""Seconds in which a cluster must answer."""


class Evaluators:
    """Evaluators behind an executor.

    Args:
        executor: runs tasks.
        name_of: names an architecture.
        shared: what every task is given to find the evaluator by.
        deaths: what a future raises when its worker died.
    """

    def __init__(
        self,
        executor: Executor,
        name_of: Callable[[Architecture], str],
        shared: Any,
        deaths: tuple[type[BaseException], ...] = (BrokenExecutor,),
    ) -> None:
        self._executor = executor
        self._name_of = name_of
        self._shared = shared
        self._deaths = deaths

    def submit(self, arch: Architecture, costs: Costs) -> "Future[Outcome]":
        """Have an architecture evaluated; it travels by its name."""
        return self._executor.submit(_evaluate, self._shared, self._name_of(arch), costs)

    def outcome(self, future: "Future[Outcome]") -> Outcome:
        """Return what came of it; the death of the worker becomes the failure."""
        try:
            return future.result()
        except self._deaths as error:
            return Outcome(failure=f"{type(error).__name__}: {first_line(error)}")


@contextmanager
def evaluators(
    evaluator: Evaluator, *, workers: int = 1, cluster: str | None = None
) -> Iterator[Evaluators]:
    """Return evaluators; they end with the block, what is then at work is dropped.

    Args:
        evaluator: is sent once to every worker.
        workers: processes on this machine; 1 is this process itself.
        cluster: address of a Dask scheduler, whose workers evaluate instead.

    Raises:
        OptionError: more workers than cores, both workers and a cluster, a cluster that
            does not answer, or a scorer or space that cannot be sent.
        MissingExtraError: `distributed` is not installed.
    """
    check_workers(workers)
    name_of = evaluator.space.to_string
    if cluster is not None:
        if workers > 1:
            raise OptionError(
                f"--workers {workers} and --cluster {cluster} exclude each other: "
                "a cluster has workers of its own"
            )
        with _dask(cluster, evaluator) as found:
            yield found
    elif workers == 1:
        yield Evaluators(InProcess(), name_of, evaluator)
    else:
        sent = _Sent(evaluator)
        executor = Workers(workers, _adopt, sent)
        try:
            yield Evaluators(executor, name_of, sent.name)
        except BaseException:
            executor.shutdown(wait=False, cancel_futures=True)
            raise
        executor.shutdown()


class _Sent:
    """An evaluator as bytes, unpacked once in every process that it reaches."""

    def __init__(self, evaluator: Evaluator) -> None:
        try:
            self.content = cloudpickle.dumps(evaluator)
        except Exception as error:
            raise OptionError(
                f"space {type(evaluator.space).__name__} and scorer {evaluator.scorer.card.name} "
                f"cannot be sent to workers ({first_line(error)}): evaluate with --workers 1"
            ) from error
        self.name = hashlib.sha256(self.content).hexdigest()


_adopted: dict[str, Evaluator] = {}


def _adopt(sent: _Sent) -> str:
    """Unpack an evaluator, once in a process."""
    if sent.name not in _adopted:
        _adopted.clear()
        _adopted[sent.name] = pickle.loads(sent.content)  # noqa: S301  (from this run's own process)
    return sent.name


def _evaluate(shared: "Evaluator | _Sent | str", name: str, costs: Costs) -> Outcome:
    if isinstance(shared, _Sent):
        shared = _adopt(shared)
    evaluator = _adopted[shared] if isinstance(shared, str) else shared
    arch = evaluator.space.from_string(name)
    return replace(evaluator.outcome(arch, costs), worker=_process())


@cache
def _process() -> str:
    return f"{socket.gethostname()}/{os.getpid()}"


@contextmanager
def _dask(address: str, evaluator: Evaluator) -> Iterator[Evaluators]:
    try:
        distributed: Any = import_module("distributed")
    except ImportError as error:
        raise MissingExtraError("distributed", "dask", "--cluster") from error
    try:
        client = distributed.Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise OptionError(
            f"no Dask scheduler answers at {address} ({first_line(error)}): start one with "
            "`dask scheduler`, and workers with `dask worker`"
        ) from error
    with client:
        if not client.scheduler_info()["workers"]:
            raise OptionError(
                f"the Dask scheduler at {address} has no workers: "
                f"start some with `dask worker {address}`"
            )
        (shared,) = client.scatter([_Sent(evaluator)], broadcast=True, hash=False)
        executor = client.get_executor(pure=False)
        deaths = (BrokenExecutor, distributed.scheduler.KilledWorker)
        try:
            yield Evaluators(executor, evaluator.space.to_string, shared, deaths)
        finally:
            executor.shutdown(wait=False)
