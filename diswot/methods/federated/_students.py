"""The student of every client, found by a search under its own budget."""

from pathlib import Path
from typing import Any, cast

import torch
from torch import nn

from diswot.methods._method_manifest import MOVABLE
from diswot.methods.federated._client import Client, Request, one_thread, weights_of
from diswot.methods.federated._federation import Federation, Owner
from diswot.methods.federated._server import STAGE
from diswot.options import DEFAULT_SCORER, SearchOptions, options_of
from diswot.progress import Step, message
from diswot.runs import MANIFEST, RESULT
from diswot.runs.folder import replace_content
from diswot.scorers import find_scorer
from diswot.search import SearchResult, load_run, resume, search
from diswot.seeding import torch_seed

SEARCH = "search"
"""Folder of a client's search, with its journal, in the client's folder."""


def find_students(federation: Federation) -> dict[str, SearchResult]:
    """Search for the student of every client, or read the finished searches.

    Each search uses the client's own examples and budget, and has a journal of its own. Scorers
    that read a teacher get the one of the run, or, if none was given, a network that was
    trained on the consensus of the other clients (see `consensus_teachers`). With `fedavg`,
    which needs equal architectures, the first client searches under the smallest budget.

    Args:
        federation: the clients.

    Returns:
        The results by client.
    """
    owners = federation.owners
    if federation.shares_weights:
        limits = [owner.budget for owner in owners]
        smallest = min(limits, key=lambda budget: budget.params or float("inf"))
        first = Owner(owners[0].name, owners[0].data, smallest, owners[0].mix)
        result = _searched(federation, first, _teachers(federation, [first])[first.name])
        return {owner.name: result for owner in owners}
    teachers = _teachers(federation, owners)
    results = {}
    for number, owner in enumerate(owners):
        federation.assignment.progress(Step("client searches", number, len(owners), owner.name))
        results[owner.name] = _searched(federation, owner, teachers[owner.name])
    federation.assignment.progress(Step("client searches", len(owners), len(owners)))
    return results


def student_name(federation: Federation, owner: Owner) -> str:
    """Return the architecture that the finished search of a client has found.

    Args:
        federation: the clients.
        owner: the client.

    Raises:
        RunFolderError: the search has not finished.
    """
    searched = federation.owners[0] if federation.shares_weights else owner  # one search for all
    folder = federation.folder(searched.name) / SEARCH
    return load_run(folder, space=federation.space_of(searched)).best.name


def _searched(federation: Federation, owner: Owner, teacher: Any) -> SearchResult:
    """Search for one client; an interrupted search is resumed."""
    folder, assignment = federation.folder(owner.name) / SEARCH, federation.assignment
    space = federation.space_of(owner)
    if (folder / RESULT).exists():
        return load_run(folder, space=space)
    options = assignment.options
    if (folder / MANIFEST).exists():
        again = {n: options[n] for n in MOVABLE if options.get(n) is not None}
        return resume(
            folder,
            teacher=teacher,
            space=space,
            data=owner.data,
            scorer=options.get("scorer"),
            progress=assignment.progress,
            **again,
        )
    chosen = cast(SearchOptions, options_of(SearchOptions, options))
    chosen["data"] = owner.data
    if isinstance(teacher, nn.Module) and teacher is not assignment.teacher:
        chosen["teacher_state"] = "trained"  # the consensus of the others
    folder.mkdir(parents=True, exist_ok=True)
    return search(
        teacher,
        assignment.space,
        budget=owner.budget,
        out=folder,
        progress=assignment.progress,
        **chosen,
    )


def _teachers(federation: Federation, owners: Any) -> dict[str, Any]:
    """Return the teacher of every client's search."""
    assignment = federation.assignment
    card = find_scorer(assignment.options.get("scorer") or DEFAULT_SCORER).card
    if assignment.teacher is not None or not card.needs_teacher:
        return {owner.name: assignment.teacher for owner in owners}
    return dict(consensus_teachers(federation))


def consensus_teachers(federation: Federation) -> dict[str, nn.Module]:
    """Return a teacher for every client that knows what the other clients agree on.

    Every client trains the largest student within its budget on its own examples, and sends
    its soft labels for the public set; the student of a client is then trained on the mean of
    the others' soft labels. This is ours: the paper has no search. Networks are small files in
    the clients' folders and are not trained again.

    Args:
        federation: the clients.
    """
    clients = {owner.name: _largest(federation, owner) for owner in federation.owners}
    missing = [n for n in clients if not _path(federation, n).exists()]
    if missing:
        federation.assignment.progress(
            message(STAGE, "no teacher was given: clients train the consensus of the others")
        )
        _train_consensus(federation, clients)
    result = {}
    for name, client in clients.items():
        network = client.student(_path(federation, name).read_bytes())
        result[name] = network.eval()
    return result


def _train_consensus(federation: Federation, clients: dict[str, Client]) -> None:
    answers = {name: client.answer(Request("train", 1), None) for name, client in clients.items()}
    soft = {
        name: federation.sharing.unpacked(answer.reply.arrays, federation.shape)
        for name, answer in answers.items()
    }
    for name, client in clients.items():
        others = torch.stack([torch.from_numpy(s) for other, s in soft.items() if other != name])
        with one_thread(), torch_seed(client.seed):
            network = client.student(answers[name].state)
            client.tune(network, others.mean(0).numpy(), 1)
        path = _path(federation, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_content(path, weights_of(network))


def _path(federation: Federation, owner: str) -> Path:
    return federation.folder(owner) / "consensus.safetensors"


def _largest(federation: Federation, owner: Owner) -> Client:
    """Return the client with the largest student within its budget that a search finds."""
    space, options = federation.space_of(owner), federation.assignment.options
    known = {n: options[n] for n in ("engine", "population", "generations", "seed") if n in options}
    result = search(
        None, space, budget=owner.budget, data=owner.data, scorer="params", progress=False, **known
    )
    return federation.client(owner, result.best.name)
