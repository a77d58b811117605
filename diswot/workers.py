"""A pool of worker processes that survives when one of them is killed."""

import atexit
import os
import pickle
import signal
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing import get_context, parent_process, resource_tracker
from multiprocessing.connection import Connection
from typing import Any, ParamSpec, TypeAlias, TypeVar

import torch

from diswot.errors import OptionError, RunError
from diswot.guard import MISSING_GUARD

_P = ParamSpec("_P")
_T = TypeVar("_T")
_Task: TypeAlias = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]

TRIES = 2
"""How often a task is started if its worker process is killed."""

STARTS = 3
"""How often starting a process is tried if it is killed while it starts."""

_KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(2**32), "MALLOC_TRIM_THRESHOLD_": str(2**32)}
"""Lets glibc reuse the memory of large tensors, which saves a seventh of a forward pass."""


class WorkerDied(BrokenExecutor):
    """The process of a task ended before the task did, in every try."""


class InProcess(Executor):
    """An executor that runs every task immediately in this process."""

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> "Future[_T]":
        """Call `fn`; return a finished future with its result or exception."""
        done: Future[_T] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001  (it belongs to whoever reads the result)
            done.set_exception(error)
        return done


class Workers(Executor):
    """An executor of `count` spawned processes, each connected by its own pipe.

    A killed process is replaced, and only its own task is started again, once. (A
    `ProcessPoolExecutor` would fail all tasks.) Workers end with this process and ignore Ctrl-C.

    Args:
        count: number of processes, at most one per core.
        prepare: called with `arguments` in every process before its first task.
        arguments: sent once to every process.

    Raises:
        OptionError: `count` is below 1 or above the number of cores.

    Examples:
        >>> with Workers(1) as workers:
        ...     workers.submit(divmod, 7, 2).result()
        (3, 1)
    """

    def __init__(
        self, count: int, prepare: Callable[..., object] | None = None, *arguments: Any
    ) -> None:
        check_workers(count)
        share = max(1, (os.cpu_count() or 1) // count)
        self._first_task: _Task = _prepare, (share, prepare, arguments), {}
        self._closed = False
        self._environment = ExitStack()
        self._environment.enter_context(_environment(_KEEP_MEMORY))
        self._own = threading.local()
        self._processes: set[_Process] = set()
        atexit.register(self._kill)
        resource_tracker.ensure_running()  # started later, it would let Ctrl-C through again
        self._threads = ThreadPoolExecutor(count, initializer=_without_interrupts)

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> "Future[_T]":
        """Run a task in the first free process.

        The future raises `WorkerDied` if the task's process ended in both tries, `RunError` if
        no process could be started.
        """
        return self._threads.submit(self._run, fn, args, kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes after their tasks; with `cancel_futures`, kill them at once."""
        if cancel_futures:
            self._kill()
        self._threads.shutdown(wait=False, cancel_futures=cancel_futures)
        ending = threading.Thread(target=self._end)
        ending.start()
        if wait:
            ending.join()

    def _kill(self) -> None:
        self._closed = True
        for process in list(self._processes):
            process.kill()

    def _end(self) -> None:
        self._threads.shutdown()
        for process in list(self._processes):
            self._discard(process)
        self._environment.close()
        atexit.unregister(self._kill)

    def _run(self, fn: Callable[..., _T], args: Any, kwargs: Any) -> _T:
        for _ in range(TRIES):
            process = self._process()
            try:
                return process.call(fn, args, kwargs)  # type: ignore[no-any-return]
            except _EndedError:
                self._discard(process)
                del self._own.process
                if self._closed:
                    break
        raise WorkerDied(f"its worker process died, {TRIES} times")

    def _process(self) -> "_Process":
        """Return this thread's process; start one if there is none or the last has died.

        Raises:
            RunError: the process cannot be started.
            WorkerDied: the workers were shut down.
        """
        if hasattr(self._own, "process"):
            return self._own.process  # type: ignore[no-any-return]
        for _ in range(STARTS):
            process = _Process()
            self._processes.add(process)
            if self._closed:  # `shutdown` may have killed the others before this one was added
                process.kill()
            try:
                process.call(*self._first_task)
            except _EndedError:
                status = self._discard(process)
            except BaseException:
                self._discard(process)
                raise
            else:
                self._own.process = process
                return process
            if self._closed:
                raise WorkerDied("the workers were shut down")
            if status >= 0:
                raise RunError(
                    f"a worker process ended while it started (exit status {status}): "
                    f"{MISSING_GUARD}"
                )
        raise RunError(
            f"a worker process was killed while it started, {STARTS} times (signal "
            f"{-status}): memory may be short; take fewer --workers"
        )

    def _discard(self, process: "_Process") -> int:
        self._processes.discard(process)
        return process.end()


class _EndedError(Exception):
    """A process ended before its task did."""


class _Process:
    """A spawned process that runs one task at a time.

    No other process holds its end of the pipe, so when it exits, reading from the pipe raises
    EOFError immediately.
    """

    def __init__(self) -> None:
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,))
        self._process.start()
        theirs.close()

    def call(self, fn: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Run `fn(*args, **kwargs)` in the process; return its result or raise its exception.

        Raises:
            _EndedError: the process ended before the task did.
        """
        message = pickle.dumps((fn, args, kwargs))
        try:
            self._pipe.send_bytes(message)
            answer = self._pipe.recv_bytes()
        except (EOFError, OSError) as error:
            raise _EndedError from error
        result, failure = pickle.loads(answer)  # noqa: S301  (from this run's own process)
        if failure is not None:
            raise failure
        return result

    def kill(self) -> None:
        """Kill the process (SIGKILL)."""
        self._process.kill()

    def end(self) -> int:
        """Close the pipe, wait for the process, and return its `exitcode` (−signal if killed)."""
        self._pipe.close()
        self._process.join()
        return self._process.exitcode or 0


def check_workers(count: int) -> None:
    """Check a number of workers.

    Raises:
        OptionError: it is not an integer from 1 to the number of cores.
    """
    cores = os.cpu_count() or 1
    if not isinstance(count, int) or not 1 <= count <= cores:
        raise OptionError(
            f"Expected from 1 to {cores} workers, one for each core of this machine, "
            f"but got {count!r}"
        )


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables that are not set, for processes started inside the block."""
    added = {name: value for name, value in variables.items() if name not in os.environ}
    os.environ |= added
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)


def _without_interrupts() -> None:
    """Block SIGINT in this thread; processes it starts inherit this from their first moment."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def _serve(pipe: Connection) -> None:
    """Worker loop: run the tasks that arrive through a pipe until its other end is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with suppress(EOFError, OSError):
        while True:
            pipe.send_bytes(_answer(pipe.recv_bytes()))


def _answer(message: bytes) -> bytes:
    """Run a pickled task; return (result, None) or (None, exception), pickled."""
    try:
        fn, args, kwargs = pickle.loads(message)  # noqa: S301  (from this run's own process)
        return pickle.dumps((fn(*args, **kwargs), None))
    except Exception as error:  # noqa: BLE001  (it belongs to whoever reads the result)
        error.add_note(f"In a worker process:\n{traceback.format_exc()}")
        try:
            answer = pickle.dumps((None, error))
            pickle.loads(answer)  # noqa: S301
        except Exception:  # noqa: BLE001  (an error that cannot be sent, or not be read again)
            answer = pickle.dumps((None, RunError(f"{type(error).__name__}: {error}")))
        return answer


def _prepare(threads: int, prepare: Callable[..., object] | None, arguments: Any) -> None:
    torch.set_num_threads(threads)
    if prepare is not None:
        prepare(*arguments)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)
