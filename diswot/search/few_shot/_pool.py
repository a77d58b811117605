"""Who trains: this process, workers on this machine, or a cluster."""

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any

from diswot.search._evaluation_pool import check_processes, dask
from diswot.search._pickled import Pickled, adopted
from diswot.workers import InProcess, Workers


class Shared:
    """An object that every worker has: itself in this process, elsewhere by its name.

    Args:
        found: the object, or the name it was sent under.
    """

    def __init__(self, found: Any) -> None:
        self._found = found

    def call(self, method: str, *arguments: Any) -> Any:
        """Call a method of the object where this runs."""
        found = adopted(self._found) if isinstance(self._found, str) else self._found
        return getattr(found, method)(*arguments)


@contextmanager
def executor_of(
    shared: Any, workers: int, cluster: str | None
) -> Iterator[tuple[Executor, Shared]]:
    """Return an executor whose workers have an object.

    Args:
        shared: sent once to every worker.
        workers: processes on this machine; 1 is this process itself.
        cluster: address of a Dask scheduler, whose workers are used instead.

    Raises:
        OptionError: more workers than cores, both workers and a cluster, a cluster that does
            not answer, or an object that cannot be sent.
        MissingExtraError: `distributed` is not installed.
    """
    check_processes(workers, cluster)
    if cluster is not None:
        sent = Pickled(shared, "what students are trained with")
        with dask().dask_executor(cluster, sent) as executor:
            yield executor, Shared(sent.name)
    elif workers == 1:
        yield InProcess(), Shared(shared)
    else:
        sent = Pickled(shared, "what students are trained with")
        pool = Workers(workers, sent.adopt)
        try:
            yield pool, Shared(sent.name)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        pool.shutdown()
