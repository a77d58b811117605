"""Federated distillation as a method of `run`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from diswot.errors import OptionError, RunFolderError
from diswot.methods._whole_run import Assignment, Section, WholeRun
from diswot.methods.federated._client import Client
from diswot.methods.federated._deployment import deploy
from diswot.methods.federated._engine import local_engine
from diswot.methods.federated._federation import (
    CLIENTS,
    Federation,
    federation_of,
    sharing_of,
)
from diswot.methods.federated._flower import check_flower, check_ports, simulate
from diswot.methods.federated._limits import limits_of
from diswot.methods.federated._options import FederatedOptions
from diswot.methods.federated._privacy import privacy_of, require_accountant
from diswot.methods.federated._report import ClientRow, FederatedReport, sections_of
from diswot.methods.federated._server import ROUNDS, Round, Server
from diswot.methods.federated._store import ClientStore
from diswot.methods.federated._students import find_students
from diswot.runs import RESULT, RecordFile
from diswot.runs.folder import read_json
from diswot.search import SearchResult
from diswot.tasks import Task


class FederatedRun(WholeRun):
    """Distills clients from each other, whose training examples stay private.

    Every client's student is found by a search under its own budget. In every round, clients
    train on their own examples, send soft labels for a public set, and are fine-tuned on the
    fused soft labels.

    Source: KnFu (Seyedmohammadi et al., arXiv 2403.11892); what it leaves open is marked at
    `knfu_weights`.
    """

    name = "federated"
    summary = "students of several owners, who share soft labels for a public set, but no data"
    options = FederatedOptions
    defaults: Mapping[str, Any] = {"augment": "none", "compare": False}

    def check(self, task: Task, options: Mapping[str, Any]) -> None:
        """Check task and options before data are read.

        Raises:
            OptionError: the task has no classes of images, or options contradict each other.
            MissingExtraError: the accountant for noise is needed and not installed.
        """
        if not task.reads.issuperset({"real inputs", "labels", "feature maps"}):
            raise OptionError(
                f"the method federated shares soft labels of image classifiers, which the task "
                f"{task.name} does not have: use --task images, or leave --method out"
            )
        if options.get("shortlist", 1) > 1:
            raise OptionError("--shortlist does not apply to --method federated: leave it out")
        limits_of(options["client_params"], 2)
        sharing_of(options)
        if options["partition"] is None:
            neighbors, clients = options["neighbors"], options["clients"]
            if neighbors is not None and neighbors > clients:
                raise OptionError(
                    f"Expected neighbors to be at most the {clients} clients, but got {neighbors}"
                )
        elif not Path(options["partition"]).is_file():
            raise OptionError(
                f"the partition {options['partition']} is not a file: name a CSV file"
            )
        if options["share_noise"]:
            require_accountant()
        self._check_engine(options)

    def _check_engine(self, options: Mapping[str, Any]) -> None:
        """Check where clients run.

        Raises:
            OptionError: Flower is combined with workers or a cluster, or a port is in use.
            MissingExtraError: Flower is not installed.
        """
        federation = options["federation"]
        if federation == "local":
            return
        check_flower(federation)
        if options.get("cluster") is not None:
            raise OptionError(
                f"--cluster and --federation {federation} exclude each other: Flower has nodes of "
                "its own"
            )
        if federation == "deployment" and options["partition"] is None:
            check_ports(options["port"], options["clients"])

    def conduct(self, assignment: Assignment) -> FederatedReport:
        """Search, run the missing rounds, and return the report."""
        federation = federation_of(assignment)
        if assignment.own["federation"] == "deployment":
            check_ports(assignment.own["port"], len(federation.owners))
        students = find_students(federation)
        clients = [
            federation.client(owner, students[owner.name].best.name) for owner in federation.owners
        ]
        rounds = run_rounds(federation, clients)
        return report_of(federation, students, rounds)

    def sections(self, folder: Path) -> Sequence[Section]:
        """Return the sections of the report page of a finished run."""
        record = read_json(folder / RESULT)
        rounds = RecordFile(folder / ROUNDS).read(Round.from_json)
        try:
            return sections_of(FederatedReport.from_json(record, rounds, folder))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise RunFolderError(
                f"{folder / RESULT} is damaged ({error!r}): restore it from a copy"
            ) from error


def run_rounds(federation: Federation, clients: Sequence[Client]) -> list[Round]:
    """Run the rounds that are not in the journal yet, and return all of them.

    Args:
        federation: the clients' data and the options of the run.
        clients: the clients.
    """
    assignment = federation.assignment
    options, own, folder = assignment.options, assignment.own, assignment.folder
    plan = federation.plan(clients)
    if own["federation"] == "flower":
        return simulate(plan, clients, folder, federation.folder)
    if own["federation"] == "deployment":
        return deploy(plan, folder, port=own["port"])
    named = {client.name: client for client in clients}
    with local_engine(
        named,
        folder / CLIENTS,
        workers=options.get("workers") or 1,
        cluster=options.get("cluster"),
    ) as engine:
        return Server(plan, engine, folder, progress=assignment.progress).run()


def report_of(
    federation: Federation, students: Mapping[str, SearchResult], rounds: Sequence[Round]
) -> FederatedReport:
    """Return the report of a finished run.

    Args:
        federation: the clients.
        students: results of the clients' searches.
        rounds: all rounds.
    """
    assignment = federation.assignment
    count = assignment.data.signature.outputs
    names = getattr(assignment.data, "classes", None) or tuple(map(str, range(count)))
    rows = []
    for owner in federation.owners:
        best = students[owner.name].best
        measures = ClientStore(federation.folder(owner.name)).measures()
        rows.append(
            ClientRow(
                owner.name,
                owner.data.size("train"),
                tuple(map(float, owner.mix.shares(count))),
                owner.budget.params,
                best.name,
                best.params,
                len(students[owner.name].candidates),
                {number: found["own"] for number, found in measures.items()},
                {number: found["global"] for number, found in measures.items()},
            )
        )
    return FederatedReport(
        assignment.folder,
        assignment.data.metrics[0].name,
        tuple(names),
        federation.shape[0],
        assignment.own["fusion"],
        tuple(rows),
        tuple(rounds),
        privacy_of(federation, len(rounds)),
        (f"write the page of the run: diswot report {assignment.folder}",),
    )
