"""Flower's ClientApp and ServerApp: the same clients and server, with Flower's messages."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

from flwr.app import Array, ArrayRecord, ConfigRecord, Context, Message, MessageType, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid, ServerApp

from diswot.errors import first_line
from diswot.methods.federated._client import Client, Phase, Reply, Request
from diswot.methods.federated._engine import Replies
from diswot.methods.federated._server import Plan, Server
from diswot.methods.federated._sharing import Arrays
from diswot.methods.federated._store import ClientStore

ARRAYS, CONFIG = "arrays", "config"
"""Names of the two records of a message."""

TYPES: Mapping[Phase, str] = {"train": MessageType.TRAIN, "tune": MessageType.EVALUATE}
"""Phase of a round → type of Flower's message."""

FindClient: TypeAlias = Callable[[Context], tuple[Client, Path]]
"""(context of a node) → its client, and the client's folder."""


def client_app(find: FindClient) -> ClientApp:
    """Return the ClientApp of a federation.

    Its states are files in the client's folder, as with the other engines, so that a repeated
    round gives the same result.

    Args:
        find: returns the client of a node, and its folder.
    """
    app = ClientApp()

    @app.query()  # type: ignore[untyped-decorator, unused-ignore]
    def name(message: Message, context: Context) -> Message:
        client, _ = find(context)
        return _message(Reply(client.name, 0), message)

    @app.train()  # type: ignore[untyped-decorator, unused-ignore]
    def train(message: Message, context: Context) -> Message:
        return _answered("train", message, find(context))

    @app.evaluate()  # type: ignore[untyped-decorator, unused-ignore]
    def tune(message: Message, context: Context) -> Message:
        return _answered("tune", message, find(context))

    return app


def server_app(run: Callable[["FlowerEngine", Context], None]) -> ServerApp:
    """Return the ServerApp of a federation.

    Args:
        run: runs all rounds with an engine and the context of the app.
    """
    app = ServerApp()

    @app.main()  # type: ignore[untyped-decorator, unused-ignore]
    def main(grid: Grid, context: Context) -> None:
        run(FlowerEngine(grid), context)

    return app


class FlowerEngine:
    """Sends requests to Flower's nodes.

    Args:
        grid: Flower's connection to the nodes.
    """

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._nodes: dict[str, int] = {}

    def connect(self, names: tuple[str, ...], *, patience: float) -> None:
        """Find the node of every client; nodes that do not connect are missing in the rounds.

        Args:
            names: the clients.
            patience: seconds to wait for nodes.
        """
        until = time.monotonic() + patience
        while not set(names) <= self._nodes.keys() and time.monotonic() < until:
            new = [node for node in self._grid.get_node_ids() if node not in self._nodes.values()]
            asked = [Message(RecordDict({}), node, MessageType.QUERY) for node in new]
            for message in self._grid.send_and_receive(asked, timeout=patience) if asked else ():
                if not message.has_error():
                    self._nodes[str(message.content[CONFIG]["client"])] = (
                        message.metadata.src_node_id
                    )
            time.sleep(0.2)

    def ask(self, requests: Mapping[str, Request], *, timeout: float | None) -> Replies:
        """Send a request to each client and return the replies."""
        problems = {name: "is not connected" for name in requests if name not in self._nodes}
        sent = [
            Message(_content(request), self._nodes[name], TYPES[request.phase])
            for name, request in requests.items()
            if name in self._nodes
        ]
        received: dict[str, Reply] = {}
        names = {node: name for name, node in self._nodes.items()}
        for message in self._grid.send_and_receive(sent, timeout=timeout):
            name = names[message.metadata.src_node_id]
            if message.has_error():
                problems[name] = f"failed ({message.error.reason})"
            elif "failure" in message.content[CONFIG]:
                problems[name] = f"failed ({message.content[CONFIG]['failure']})"
            else:
                received[name] = _reply(message)
        for name in requests:
            if name not in received and name not in problems:
                problems[name] = f"did not answer within {timeout:g} s"
        known = [name for name in requests if name in received]
        return Replies({name: received[name] for name in known}, problems)


def run_server(plan: Plan, folder: Path, engine: FlowerEngine, *, patience: float = 600) -> None:
    """Run the missing rounds of a federation with Flower.

    Args:
        plan: clients, rounds and fusion.
        folder: the run folder.
        engine: Flower's connection.
        patience: seconds to wait for nodes.
    """
    engine.connect(plan.clients, patience=patience)
    Server(plan, engine, folder).run()


def _content(request: Request) -> RecordDict:
    config = ConfigRecord({"round": request.number})
    return RecordDict({ARRAYS: _record(request.arrays), CONFIG: config})


def _record(arrays: Arrays) -> ArrayRecord:
    return ArrayRecord({name: Array(array) for name, array in arrays.items()})


def _arrays(message: Message) -> Arrays:
    return {name: array.numpy() for name, array in message.content[ARRAYS].items()}


def _answered(phase: Phase, message: Message, found: tuple[Client, Path]) -> Message:
    client, folder = found
    request = Request(phase, int(message.content[CONFIG]["round"]), _arrays(message))
    store = ClientStore(folder)
    try:
        answer = client.answer(request, store.before(request))
    except Exception as error:  # noqa: BLE001  whatever a client raises
        failure = ConfigRecord({"failure": f"{type(error).__name__}: {first_line(error)}"})
        return Message(RecordDict({CONFIG: failure}), reply_to=message)
    store.save(request, answer)
    return _message(answer.reply, message)


def _message(reply: Reply, message: Message) -> Message:
    config = {"client": reply.client, "round": reply.number, "samples": reply.samples}
    content = RecordDict({ARRAYS: _record(reply.arrays), CONFIG: ConfigRecord(config)})
    return Message(content, reply_to=message)


def _reply(message: Message) -> Reply:
    config = message.content[CONFIG]
    return Reply(
        str(config["client"]), int(config["round"]), _arrays(message), int(config["samples"])
    )
