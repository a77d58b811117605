"""Worker processes that share the machine's cores, each replaced when it dies."""

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool, ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from multiprocessing import get_context, parent_process, resource_tracker
from typing import Any, ParamSpec, TypeVar

import torch

from diswot.errors import OptionError, RunError
from diswot.guard import MISSING_GUARD

_P = ParamSpec("_P")
_T = TypeVar("_T")

TRIES = 2
"""How often a task is started whose worker dies."""

STARTS = 3
"""How often a process is started that is killed while it starts."""

_KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(2**32), "MALLOC_TRIM_THRESHOLD_": str(2**32)}
"""Lets glibc reuse the memory of large tensors, a seventh of the time of a forward pass."""


class WorkerDied(BrokenExecutor):
    """The process of a task ended before the task did, in every try."""


class InProcess(Executor):
    """Runs every task at once, in this process."""

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> "Future[_T]":
        """Run a task and return its result."""
        done: Future[_T] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001  (it belongs to whoever reads the result)
            done.set_exception(error)
        return done


class Workers(Executor):
    """Runs tasks in `count` spawned processes.

    A process that dies is replaced, also while it starts, and its task, and no other, started
    again once. No
    process outlives this one, and none sees Ctrl-C.

    Args:
        count: how many; at most one for each core.
        prepare: called once in every process before its first task, with `arguments`.
        arguments: sent to every process once.

    Raises:
        OptionError: there are fewer cores.

    Examples:
        >>> with Workers(1) as workers:
        ...     workers.submit(divmod, 7, 2).result()
        (3, 1)
    """

    def __init__(
        self, count: int, prepare: Callable[..., object] | None = None, *arguments: Any
    ) -> None:
        check_workers(count)
        self._prepare = prepare
        self._arguments = arguments
        self._share = max(1, (os.cpu_count() or 1) // count)
        self._closed = False
        self._environment = ExitStack()
        self._environment.enter_context(_environment(_KEEP_MEMORY))
        self._own = threading.local()
        self._pools: set[ProcessPoolExecutor] = set()
        resource_tracker.ensure_running()  # started later, it would let Ctrl-C through again
        self._threads = ThreadPoolExecutor(count, initializer=_without_interrupts)

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> "Future[_T]":
        """Run a task in the first process that is free.

        The future raises `WorkerDied` if the process ended twice, `RunError` if none
        could be started.
        """
        return self._threads.submit(self._run, fn, args, kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes; with `cancel_futures` also those that are at work."""
        if cancel_futures:
            self._closed = True
            for pool in list(self._pools):
                _kill(pool)
        self._threads.shutdown(wait=wait, cancel_futures=cancel_futures)
        for pool in list(self._pools):
            pool.shutdown(wait=wait, cancel_futures=cancel_futures)
        self._environment.close()

    def _run(self, task: Callable[..., _T], args: Any, kwargs: Any) -> _T:
        for _ in range(TRIES):
            try:
                return self._process().submit(task, *args, **kwargs).result()
            except BrokenProcessPool:
                self._pools.discard(self._own.pool)
                del self._own.pool
                if self._closed:
                    break
        raise WorkerDied(f"its worker process died, {TRIES} times")

    def _process(self) -> ProcessPoolExecutor:
        """Return this thread's process, a new one if the last has died.

        Raises:
            RunError: it cannot be started.
        """
        starts = 0
        while not hasattr(self._own, "pool"):
            status, starts = self._start(), starts + 1
            if status is None:
                continue
            if self._closed:
                raise WorkerDied("the workers were shut down")
            if status >= 0:
                raise RunError(
                    f"a worker process ended while it started (exit status {status}): "
                    f"{MISSING_GUARD}"
                )
            if starts == STARTS:
                raise RunError(
                    f"a worker process was killed while it started, {STARTS} times (signal "
                    f"{-status}): memory may be short; take fewer --workers"
                )
        return self._own.pool  # type: ignore[no-any-return]

    def _start(self) -> int | None:
        """Start a process for this thread, and return the exit status of one that failed to.

        It is negative where the process was killed.
        """
        pool = ProcessPoolExecutor(1, get_context("spawn"), initializer=_watch)
        self._pools.add(pool)
        started = pool.submit(_begin, self._share, self._prepare, self._arguments)
        processes = list((pool._processes or {}).values())
        if self._closed:
            _kill(pool)
        try:
            started.result()
        except BrokenProcessPool:
            self._pools.discard(pool)
            for process in processes:
                process.join()
            return next((process.exitcode or 0 for process in processes), 0)
        self._own.pool = pool
        return None


def check_workers(count: int) -> None:
    """Check a number of workers.

    Raises:
        OptionError: it is no whole number from one to the number of cores.
    """
    cores = os.cpu_count() or 1
    if not isinstance(count, int) or not 1 <= count <= cores:
        raise OptionError(
            f"Expected from 1 to {cores} workers, one for each core of this machine, "
            f"but got {count!r}"
        )


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set what is not set, for processes that begin meanwhile."""
    added = {name: value for name, value in variables.items() if name not in os.environ}
    os.environ |= added
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)


def _without_interrupts() -> None:
    """Block Ctrl-C in this thread, and so in the processes it starts, from their first moment."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def _watch() -> None:
    """Make this process one that Ctrl-C leaves alone, and that ends with its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _begin(threads: int, prepare: Callable[..., object] | None, arguments: Any) -> None:
    torch.set_num_threads(threads)
    if prepare is not None:
        prepare(*arguments)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)


def _kill(pool: ProcessPoolExecutor) -> None:
    """What `pool.kill_workers()` is from Python 3.14 on."""
    for process in list((pool._processes or {}).values()):
        process.kill()
