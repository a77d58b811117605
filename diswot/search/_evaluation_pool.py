"""Where candidates are evaluated: in this process, in local workers, or on a Dask cluster."""

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
"""Torch's random state is global, so threads of a Dask worker must evaluate one at a time."""


class EvaluationPool:
    """Evaluates candidates in an executor.

    Args:
        executor: runs the tasks.
        name_of: returns the name of an architecture, by which it is sent.
        shared: the evaluator, or the name under which workers have unpacked it.
        deaths: exceptions of a future whose worker died.
        blamed: whether the executor may report a death to a task that did not cause it (Dask
            does); such a task is then run again on its own.

    Attributes:
        finished: queue of the submitted futures that have finished.
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
        """Start evaluating an architecture; its future also arrives in `finished`.

        Args:
            arch: the architecture, which is sent by name.
            costs: its costs, measured before.
        """
        future = self._sent(arch, costs)
        self.finished.add(future)
        return future

    def outcome(self, future: "Future[Outcome]", arch: Architecture, costs: Costs) -> Outcome:
        """Return the outcome of a future; the death of its worker becomes a failure.

        Args:
            future: a future that `submit` returned.
            arch: its architecture.
            costs: the costs of the architecture.

        Raises:
            ClusterError: the cluster was lost.
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
                "the cluster dropped a candidate: check that its scheduler is running"
            ) from error

    def _sent(self, arch: Architecture, costs: Costs) -> "Future[Outcome]":
        return self._executor.submit(_evaluate, self._shared, self._name_of(arch), costs)


@contextmanager
def evaluation_pool(
    evaluator: Evaluator, *, workers: int = 1, cluster: str | None = None
) -> Iterator[EvaluationPool]:
    """Yield a pool; at the end of the block its workers end, and unfinished tasks are dropped.

    Args:
        evaluator: sent once to every worker.
        workers: number of processes on this machine; 1 evaluates in this process.
        cluster: address of a Dask scheduler, whose workers are used instead.

    Raises:
        OptionError: there are more workers than cores, both workers and a cluster are given,
            the cluster does not answer, or scorer or space cannot be pickled.
        MissingExtraError: a cluster is given and `distributed` is not installed.
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
    """Check the numbers of workers and the cluster option, without connecting.

    Args:
        workers: number of processes on this machine.
        cluster: address of a Dask scheduler, or `None`.

    Raises:
        OptionError: there are more workers than cores, or both workers and a cluster.
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
    """Import the module that uses Dask.

    Raises:
        MissingExtraError: `distributed` is not installed.
    """
    try:
        import_module("distributed")
    except ImportError as error:
        raise MissingExtraError("distributed", "dask", "--cluster") from error
    return import_module("diswot.search._dask")
