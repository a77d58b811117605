"""A Dask cluster as an executor; the evaluator is sent to every worker once."""

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
"""Timeout, in seconds, of connecting to a scheduler."""

DEATHS = (distributed.scheduler.KilledWorker,)
"""Exceptions of a future whose workers died while they ran it."""


@contextmanager
def dask_executor(address: str, sent: Pickled) -> Iterator[Executor]:
    """Yield an executor whose workers have unpacked `sent`, including workers that join later.

    Args:
        address: address of the Dask scheduler, such as `tcp://host:8786`.
        sent: the object that tasks need.

    Raises:
        OptionError: no scheduler answers, it has no workers, or they cannot unpack `sent`.
        ClusterError: the scheduler was lost inside the block.
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
                f"the workers of {address} cannot run the search ({first_line(error)}): install "
                f"the same packages there"
            ) from error
        executor = client.get_executor(pure=False)
        try:
            yield executor
        except Exception as error:  # a lost scheduler raises many different exceptions
            if client.status == "running":
                raise
            raise ClusterError(
                f"the Dask scheduler at {address} is gone: start it and its workers again"
            ) from error
        finally:
            executor.shutdown(wait=False)
            if client.status == "running":
                with suppress(Exception):  # if the scheduler exits now, no result is lost
                    client.unregister_worker_plugin(sent.name)


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence Dask's tracebacks of lost connections, which we report in one line."""
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
    """Connect to a scheduler, in a thread: Dask's timeout does not cover a silent server."""
    results: list[Any] = []

    def connect() -> None:
        try:
            options = {"timeout": PATIENCE, "set_as_default": False}
            results.append(distributed.Client(address, **options))  # type: ignore[no-untyped-call]
        except Exception as error:  # noqa: BLE001  (an address can be wrong in many ways)
            results.append(error)

    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    client = results[0] if results else TimeoutError(f"silent for {PATIENCE} s")
    if isinstance(client, Exception):
        raise OptionError(
            f"no Dask scheduler answers at {address} ({first_line(client)}): start one with "
            "`dask scheduler`, and workers with `dask worker`"
        ) from client
    return client
