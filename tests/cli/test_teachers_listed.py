"""`diswot list teachers`: those of every task, each with its task."""

import json

from diswot.tasks import find_task, known_tasks
from tests.conftest import CommandLine


def test_teachers_are_listed_with_their_tasks(cli: CommandLine) -> None:
    listed = json.loads(cli("list", "teachers", "--json").out)["teachers"]
    for name in known_tasks():
        assert f"{name}: " in listed[find_task(name).teacher]
    assert listed["hf:FOLDER_OR_ID"].startswith("images: an image classifier")
    tasks, _, what = listed["package.module:callable"].partition(": ")
    assert what == "a callable of your own that returns a torch.nn.Module"
    assert set(tasks.split(", ")) == known_tasks()
