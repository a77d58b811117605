"""Teachers of a task without teacher sources."""

from typing import Any

import pytest
from torch import nn

from diswot.errors import OptionError, UnknownNameError
from diswot.tasks import Dataset, Task, find_task
from diswot.tasks.images import load_data


class Bare(Task):
    """A task with only the required methods."""

    name = "bare"

    def check(self, data: Any, **options: Any) -> None:
        raise NotImplementedError

    def load(self, data: Any, **options: Any) -> Dataset:
        raise NotImplementedError


def test_a_task_takes_networks_and_callables() -> None:
    task, network = Bare(), nn.Linear(2, 1)
    task.check_teacher(network)
    found = task.find_teacher(network, load_data("digits"))
    assert found.weights is not None
    assert task.check_trained(found, found.weights(), load_data("digits")) is None
    with pytest.raises(UnknownNameError, match=r"or give package\.module:callable"):
        task.check_teacher("resnet20")


def test_options_of_other_tasks_are_refused() -> None:
    with pytest.raises(OptionError, match="--teacher-classes does not apply to the task bare"):
        Bare().check_teacher(nn.Linear(2, 1), teacher_classes="natural")


def test_manifests_store_class_names_instead_of_their_file(tmp_path: Any) -> None:
    path = tmp_path / "names.txt"
    path.write_text("ant\nbee\n")
    kept = find_task("images").recorded({"teacher_classes": path, "flips": None})
    assert kept == {"teacher_classes": '["ant", "bee"]', "flips": None}
    assert Bare().recorded({"unit": 2}) == {"unit": 2}
