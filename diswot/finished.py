"""Futures in the order in which they finish, with Ctrl-C raised only at safe moments."""

import signal
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

_T = TypeVar("_T")


class Finished:
    """A queue of futures that have finished.

    Examples:
        >>> from concurrent.futures import ThreadPoolExecutor
        >>> finished = Finished()
        >>> with ThreadPoolExecutor(1) as pool:
        ...     finished.add(pool.submit(divmod, 7, 2))
        >>> [future.result() for future in finished.take()]
        [(3, 1)]
    """

    def __init__(self) -> None:
        self._queue: SimpleQueue[Future[Any] | None] = SimpleQueue()

    def add(self, future: "Future[Any]") -> None:
        """Watch a future, which may already have finished."""
        future.add_done_callback(self._queue.put)

    def take(self, *, wait: bool = True) -> "list[Future[Any]]":
        """Return the futures that have finished since the last call.

        Args:
            wait: whether to block until there is at least one.

        Raises:
            KeyboardInterrupt: Ctrl-C was pressed inside `holding_interrupts`.
        """
        results: list[Future[Any]] = []
        with suppress(Empty):
            while True:
                future = self._queue.get(block=wait and not results)
                if future is None:
                    raise KeyboardInterrupt
                results.append(future)
        return results

    @contextmanager
    def holding_interrupts(self) -> Iterator[None]:
        """Delay the first Ctrl-C inside the block until the next call of `take`.

        A KeyboardInterrupt at another moment could leave a future's lock held, and threads
        that use that future would wait forever.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.getsignal(signal.SIGINT)

        def interrupt(*_: object) -> None:
            signal.signal(signal.SIGINT, before)
            self._queue.put(None)

        signal.signal(signal.SIGINT, interrupt)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)


def as_finished(futures: "Iterable[Future[_T]]") -> "Iterator[Future[_T]]":
    """Yield futures as they finish; Ctrl-C is raised only between two of them."""
    finished = Finished()
    with finished.holding_interrupts():
        left = list(futures)
        for future in left:
            finished.add(future)
        done = 0
        while done < len(left):
            for future in finished.take():
                done += 1
                yield future
