"""Who evaluates: this process, workers on this machine, or a cluster."""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

from diswot.errors import ClusterError, MissingExtraError, OptionError, first_line
from diswot.finished import Finished
from diswot.networks.costs import Costs
from diswot.search._evaluation import Evaluator, Outcome
from diswot.search._pickled import Pickled, adopted
from diswot.workers import InProcess, Workers, check_workers
from search_spaces import Architecture

_alone = threading.Lock()
"""Seeds are torch's and a process has them once: threads of a Dask worker take turns."""


class EvaluationPool:
    """EvaluationPool behind an executor.

    Args:
        executor: runs tasks.
        name_of: names an architecture.
        shared: what every task is given to find the evaluator by.
        deaths: what a future raises when its worker died.
        blamed: whether a task can be blamed for a death that another one caused: then it is
            started again by itself.

    Attributes:
        finished: what was submitted, as it finishes.
    """

    def __init__(
        self,
        executor: Executor,
        name_of: Callable[[Architecture], str],
        shared: Any,
        deaths: tuple[type[BaseException], ...] = (BrokenExecutor,),
        *,
        blamed: bool = False,
    ) -> None:
        self._executor = executor
        self._name_of = name_of
        self._shared = shared
        self._deaths = deaths
        self._blamed = blamed
        self.finished = Finished()

    def submit(self, arch: Architecture, costs: Costs) -> "Future[Outcome]":
        """Have an architecture evaluated; it travels by its name."""
        future = self._sent(arch, costs)
        self.finished.add(future)
        return future

    def outcome(self, future: "Future[Outcome]", arch: Architecture, costs: Costs) -> Outcome:
        """Return what came of an architecture; the death of the worker becomes the failure.

        Raises:
            ClusterError: whoever evaluates is gone.
        """
        try:
            try:
                return future.result()
            except self._deaths:
                if not self._blamed:
                    raise
                return self._sent(arch, costs).result()
        except self._deaths as error:
            return Outcome(failure=f"{type(error).__name__}: {first_line(error)}")
        except CancelledError as error:
            raise ClusterError(
                "the cluster dropped a candidate: see whether its scheduler is at work"
            ) from error

    def _sent(self, arch: Architecture, costs: Costs) -> "Future[Outcome]":
        return self._executor.submit(_evaluate, self._shared, self._name_of(arch), costs)


@contextmanager
def evaluation_pool(
    evaluator: Evaluator, *, workers: int = 1, cluster: str | None = None
) -> Iterator[EvaluationPool]:
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
    check_processes(workers, cluster)
    name_of = evaluator.space.to_string
    if cluster is not None:
        sent = _sent(evaluator)
        with dask().dask_executor(cluster, sent) as executor:
            deaths = (BrokenExecutor, *dask().DEATHS)
            remote = EvaluationPool(executor, name_of, sent.name, deaths, blamed=True)
            with remote.finished.holding_interrupts():
                yield remote
    elif workers == 1:
        yield EvaluationPool(InProcess(), name_of, evaluator)
    else:
        sent = _sent(evaluator)
        executor = Workers(workers, sent.adopt)
        local = EvaluationPool(executor, name_of, sent.name)
        try:
            with local.finished.holding_interrupts():
                yield local
        except BaseException:
            executor.shutdown(wait=False, cancel_futures=True)
            raise
        executor.shutdown()


def check_processes(workers: int, cluster: str | None) -> None:
    """Make sure that there can be such processes.

    Raises:
        OptionError: more workers than cores, or both workers and a cluster.
    """
    check_workers(workers)
    if cluster is not None and workers > 1:
        raise OptionError(
            f"--workers {workers} and --cluster {cluster} exclude each other: "
            "a cluster has workers of its own"
        )


def _evaluate(shared: Evaluator | str, name: str, costs: Costs) -> Outcome:
    evaluator = adopted(shared) if isinstance(shared, str) else shared
    arch = evaluator.space.from_string(name)
    with _alone:
        return replace(evaluator.outcome(arch, costs), worker=_process())


@cache
def _process() -> str:
    return f"{socket.gethostname()}/{os.getpid()}"


def _sent(evaluator: Evaluator) -> Pickled:
    space, scorer = type(evaluator.space).__name__, evaluator.scorer.card.name
    return Pickled(evaluator, f"space {space} and scorer {scorer}")


def dask() -> ModuleType:
    """Return the module that needs `distributed`.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import_module("distributed")
    except ImportError as error:
        raise MissingExtraError("distributed", "dask", "--cluster") from error
    return import_module("diswot.search._dask")
