"""Where candidates are trained: in this process, in local workers, or on a Dask cluster."""

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any

from diswot.search._evaluation_pool import check_processes, dask
from diswot.search._pickled import Pickled, adopted
from diswot.workers import InProcess, Workers


class Shared:
    """Refers to an object that every worker has, which pickles cheaply.

    Args:
        found: the object itself (in this process), or the name under which workers have
            unpickled it.
    """

    def __init__(self, found: Any) -> None:
        self._found = found

    def call(self, method: str, *arguments: Any) -> Any:
        """Call a method of the object in the process that runs this."""
        result = adopted(self._found) if isinstance(self._found, str) else self._found
        return getattr(result, method)(*arguments)


@contextmanager
def executor_of(
    shared: Any, workers: int, cluster: str | None
) -> Iterator[tuple[Executor, Shared]]:
    """Yield an executor whose workers have an object, and the object's reference for tasks.

    Args:
        shared: the object, which is sent once to every worker.
        workers: number of processes on this machine; 1 runs tasks in this process.
        cluster: address of a Dask scheduler, whose workers are used instead.

    Raises:
        OptionError: there are more workers than cores, both workers and a cluster are given,
            the cluster does not answer, or the object cannot be pickled.
        MissingExtraError: a cluster is given and `distributed` is not installed.
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
