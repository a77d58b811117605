"""`diswot list` names teachers, losses and datasets with their tasks."""

import json

from diswot.tasks import TASKS, find_task
from tests.conftest import CommandLine


def test_teachers_are_listed_with_their_tasks(cli: CommandLine) -> None:
    listed = json.loads(cli("list", "teachers", "--json").out)["teachers"]
    for name in TASKS:
        assert name in listed[find_task(name).teacher].partition(": ")[0].split(", ")
    assert "images, multi-label: an image classifier" in listed["hf:FOLDER_OR_ID"]
    tasks, _, what = listed["package.module:callable"].partition(": ")
    assert what == "a callable of your own that returns a torch.nn.Module"
    assert set(tasks.split(", ")) == set(TASKS)


def test_losses_are_listed_with_their_tasks(cli: CommandLine) -> None:
    listed = json.loads(cli("list", "losses", "--json").out)["losses"]
    for name in TASKS:
        for loss in find_task(name).losses:
            assert name in listed[loss].partition(": ")[0].split(", ")
    assert listed["l2"].startswith("landmarks: ")
    assert "landmarks" not in listed["ce"].partition(": ")[0]


def test_datasets_are_listed_with_their_task(cli: CommandLine) -> None:
    listed = json.loads(cli("list", "datasets", "--json").out)["datasets"]
    for name in TASKS:
        assert listed[find_task(name).data].startswith(f"{name}: ")
