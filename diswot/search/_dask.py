"""A Dask cluster as an executor, every worker of which is given the evaluator once."""

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from typing import Any

import distributed

from diswot.errors import ClusterError, OptionError, first_line
from diswot.search._pickled import Pickled

PATIENCE = 10
"""Seconds in which a scheduler must answer."""

DEATHS = (distributed.scheduler.KilledWorker,)
"""What a future raises when the workers that it was given to have died."""


@contextmanager
def dask_executor(address: str, sent: Pickled) -> Iterator[Executor]:
    """Return an executor in whose workers `sent` is adopted, in those that join later too.

    Raises:
        OptionError: nobody answers, there are no workers, or they cannot unpack `sent`.
        ClusterError: the scheduler went away within the block.
    """
    with _quiet(), _client(address) as client:
        if not client.scheduler_info()["workers"]:
            raise OptionError(
                f"the Dask scheduler at {address} has no workers: "
                f"start some with `dask worker {address}`"
            )
        try:
            client.register_plugin(_Adopting(sent), name=sent.name)
        except Exception as error:  # a space of the user's own can raise anything
            raise OptionError(
                f"the workers of {address} cannot take the search ({first_line(error)}): "
                "install there what is installed here"
            ) from error
        executor = client.get_executor(pure=False)
        try:
            yield executor
        except Exception as error:  # a dead scheduler shows in many ways
            if client.status == "running":
                raise
            raise ClusterError(
                f"the Dask scheduler at {address} is gone: start it and its workers again"
            ) from error
        finally:
            executor.shutdown(wait=False)
            if client.status == "running":
                with suppress(Exception):  # it can die now too, and nothing is lost
                    client.unregister_worker_plugin(sent.name)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep tracebacks of lost connections off standard error: they are reported in one line."""
    names = [name for name in logging.root.manager.loggerDict if name.startswith("distributed")]
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)


class _Adopting(distributed.WorkerPlugin):
    def __init__(self, sent: Pickled) -> None:
        self.sent = sent

    def setup(self, worker: Any) -> None:  # noqa: ARG002
        self.sent.adopt()

    def teardown(self, worker: Any) -> None:  # noqa: ARG002
        self.sent.abandon()


def _client(address: str) -> Any:
    """Return a client; in a thread, for it waits for ever where a server is silent."""
    found: list[Any] = []

    def connect() -> None:
        try:
            options = {"timeout": PATIENCE, "set_as_default": False}
            found.append(distributed.Client(address, **options))  # type: ignore[no-untyped-call]
        except Exception as error:  # noqa: BLE001  (an address can be wrong in many ways)
            found.append(error)

    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    client = found[0] if found else TimeoutError(f"silent for {PATIENCE} s")
    if isinstance(client, Exception):
        raise OptionError(
            f"no Dask scheduler answers at {address} ({first_line(client)}): start one with "
            "`dask scheduler`, and workers with `dask worker`"
        ) from client
    return client
