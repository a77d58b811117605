"""Where clients answer: in this process, in worker processes, or on a Dask cluster."""

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import CancelledError, Executor, Future, as_completed, wait
from concurrent.futures import TimeoutError as Late
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from diswot.errors import ClusterError, first_line
from diswot.methods.federated._client import Answer, Client, Reply, Request
from diswot.methods.federated._store import ClientStore
from diswot.search import Pickled, adopted, dask
from diswot.workers import InProcess, Workers


@dataclass(frozen=True)
class Replies:
    """The replies to the requests of a round.

    Attributes:
        received: replies by client.
        problems: why there is no reply, by client.
    """

    received: Mapping[str, Reply] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)


class Engine(Protocol):
    """Delivers requests to clients."""

    def ask(self, requests: Mapping[str, Request], *, timeout: float | None) -> Replies:
        """Send a request to each client and return the replies.

        Args:
            requests: requests by client.
            timeout: seconds after which no further reply is awaited; `None` for no limit.
        """


class LocalEngine:
    """Runs clients in an executor; their states are files in the run folder.

    Args:
        executor: runs the tasks.
        clients: the clients by name, or the name under which workers have unpacked them.
        folder: folder with one folder per client.
    """

    def __init__(
        self, executor: Executor, clients: Mapping[str, Client] | str, folder: Path
    ) -> None:
        self._executor, self._clients, self._folder = executor, clients, folder

    def ask(self, requests: Mapping[str, Request], *, timeout: float | None) -> Replies:
        """Send a request to each client, write their states, and return the replies.

        Raises:
            ClusterError: the cluster was lost.
        """
        until = None if timeout is None else time.monotonic() + timeout
        futures = {self._sent(name, request): name for name, request in requests.items()}
        received: dict[str, Reply] = {}
        problems: dict[str, str] = {}
        left = None if until is None else max(0.0, until - time.monotonic())
        try:
            for future in as_completed(futures, timeout=left):
                name = futures[future]
                try:
                    answer = future.result()
                except CancelledError as error:
                    raise ClusterError("the cluster dropped a client: start it again") from error
                except Exception as error:  # noqa: BLE001  whatever a client raises
                    problems[name] = f"failed ({type(error).__name__}: {first_line(error)})"
                else:
                    ClientStore(self._folder / name).save(requests[name], answer)
                    received[name] = answer.reply
        except Late:
            for future, name in futures.items():
                if name not in received and name not in problems:
                    future.cancel()
                    problems[name] = f"did not answer within {timeout:g} s"
        order = list(requests)
        return Replies(
            {name: received[name] for name in order if name in received},
            {name: problems[name] for name in order if name in problems},
        )

    def _sent(self, name: str, request: Request) -> "Future[Answer]":
        state = ClientStore(self._folder / name).before(request)
        return self._executor.submit(_answer, self._clients, name, request, state)


def _answer(
    clients: Mapping[str, Client] | str, name: str, request: Request, state: bytes | None
) -> Answer:
    known = adopted(clients) if isinstance(clients, str) else clients
    client: Client = known[name]
    return client.answer(request, state)


@contextmanager
def local_engine(
    clients: Mapping[str, Client], folder: Path, *, workers: int = 1, cluster: str | None = None
) -> Iterator[LocalEngine]:
    """Yield an engine; at the end of the block its workers end.

    Args:
        clients: the clients by name; sent once to every worker.
        folder: folder with one folder per client.
        workers: number of processes on this machine; 1 runs clients in this process.
        cluster: address of a Dask scheduler, whose workers are used instead.

    Raises:
        OptionError: there are more workers than cores, the cluster does not answer, or the
            clients cannot be pickled.
        MissingExtraError: a cluster is given and `distributed` is not installed.
    """
    if cluster is not None:
        sent = Pickled(dict(clients), "the clients")
        with dask().dask_executor(cluster, sent) as executor:
            yield LocalEngine(executor, sent.name, folder)
    elif workers == 1:
        yield LocalEngine(InProcess(), clients, folder)
    else:
        sent = Pickled(dict(clients), "the clients")
        executor = Workers(workers, sent.adopt)
        try:
            # The start of the processes is not part of the first round.
            wait([executor.submit(time.sleep, 0.1) for _ in range(workers)])
            yield LocalEngine(executor, sent.name, folder)
        finally:
            executor.shutdown(wait=False, cancel_futures=True)
