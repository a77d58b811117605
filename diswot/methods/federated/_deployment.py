"""A Flower deployment on this machine: a SuperLink and one SuperNode per client."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from diswot.errors import RunError
from diswot.methods._method_manifest import read_assignment
from diswot.methods._methods import find_method
from diswot.methods.federated._client import Client
from diswot.methods.federated._federation import Federation, federation_of
from diswot.methods.federated._flower import HOST, environment_of, finished
from diswot.methods.federated._server import Plan, Round
from diswot.methods.federated._students import student_name
from diswot.runs.folder import replace_content

APP = "flower"
"""Folder of Flower's app and logs in a run folder."""

_PROJECT = """[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "diswot-federated"
version = "1.0.0"
description = "A federation of diswot"
license = "MIT"
dependencies = []

[tool.flwr.app]
publisher = "diswot"

[tool.flwr.app.components]
serverapp = "federation.apps:server"
clientapp = "federation.apps:client"

[tool.flwr.app.config]
run = ""
"""

_APPS = '''"""The apps of a federation, which diswot makes."""

from diswot.methods.federated import deployed_apps

apps = deployed_apps()
client = apps[0]
server = apps[1]
'''

_CONFIG = """[superlink]
default = "local"

[superlink.local]
address = "{host}:{port}"
insecure = true
"""


def write_app(folder: Path, port: int) -> Path:
    """Write Flower's app of a run, and the configuration of `flwr run`.

    Args:
        folder: the run folder.
        port: port of the SuperLink to which `flwr run` connects.

    Returns:
        The folder of the app.
    """
    app = folder / APP
    (app / "federation").mkdir(parents=True, exist_ok=True)
    for path, text in {
        app / "pyproject.toml": _PROJECT,
        app / "federation" / "__init__.py": "",
        app / "federation" / "apps.py": _APPS,
        app / "config.toml": _CONFIG.format(host=HOST, port=port),
    }.items():
        replace_content(path, text.encode())
    return app


def deploy(plan: Plan, folder: Path, *, port: int) -> list[Round]:
    """Run the missing rounds in Flower processes on this machine, and end these.

    Args:
        plan: clients, rounds and fusion.
        folder: the run folder.
        port: first of the ports: one for the SuperLink, and one for every SuperNode.

    Raises:
        RunError: a process failed, or Flower ended before the last round.
    """
    folder = folder.absolute()
    link_address = f"{HOST}:{port}"
    app = write_app(folder, port)
    link = ["flower-superlink", "--insecure", "--host", HOST, "--port", str(port)]
    with ExitStack() as stack:
        started = [stack.enter_context(_process(link, app, "superlink"))]
        for number, name in enumerate(plan.clients):
            node = ["flower-supernode", "--insecure", "--superlink", link_address, "--host", HOST]
            node += ["--port", str(port + 1 + number), "--node-config", f'client="{name}"']
            started.append(stack.enter_context(_process(node, app, name)))
        _submit(app, folder, started)
    return finished(plan, folder)


def _submit(app: Path, folder: Path, started: Sequence["subprocess.Popen[bytes]"]) -> None:
    """Submit the app when the SuperLink answers, and wait until it has ended."""
    command = [_program("flwr"), "run", str(app), "local", "--stream"]
    command += ["--run-config", f'run="{folder}"']
    log = ""
    for _ in range(30):
        environment = environment_of(app)
        done = subprocess.run(  # noqa: S603
            command, cwd=app, env=environment, capture_output=True, check=False
        )
        log = (done.stdout + done.stderr).decode("utf-8", "replace")
        (app / "run.log").write_text(log, encoding="utf-8")
        if done.returncode == 0:
            return
        if any(process.poll() is not None for process in started):
            break
        _pause(started[0])
    raise RunError(f"Flower did not run the federation: see the logs in {app}")


def _pause(process: "subprocess.Popen[bytes]") -> None:
    """Wait two seconds, or until a process ends."""
    try:
        process.wait(2)
    except subprocess.TimeoutExpired:
        return


@contextmanager
def _process(command: list[str], app: Path, name: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a program of Flower inside the block; its output goes to a log."""
    with (app / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603
            [_program(command[0]), *command[1:]],
            cwd=app,
            env=environment_of(app),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _program(name: str) -> str:
    """Return the path of a program that is installed with this Python."""
    return str(Path(sys.executable).parent / name)


def deployed_apps() -> tuple[Any, Any]:
    """Return the ClientApp and ServerApp of a deployment, which read the run folder.

    The folder is `run` in Flower's run config; a node's client is `client` in its node config.
    """
    from diswot.methods.federated._flower_apps import client_app, run_server, server_app

    def find(context: Any) -> tuple[Client, Path]:
        folder = Path(str(context.node_config.get("run") or context.run_config["run"]))
        return _client(folder, str(context.node_config["client"]))

    def run(engine: Any, context: Any) -> None:
        folder = Path(str(context.run_config["run"]))
        found = _federation(folder)
        clients = [_client(folder, owner.name)[0] for owner in found.owners]
        run_server(found.plan(clients), folder, engine)

    return client_app(find), server_app(run)


@cache
def _federation(folder: Path) -> Federation:
    return federation_of(read_assignment(find_method("federated"), folder))


@cache
def _client(folder: Path, name: str) -> tuple[Client, Path]:
    found = _federation(folder)
    owner = next(owner for owner in found.owners if owner.name == name)
    return found.client(owner, student_name(found, owner)), found.folder(name)
