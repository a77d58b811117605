"""Trainings without labels that are killed resume to the weights of uninterrupted ones."""

import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from diswot.progress import Step, silent
from diswot.tasks.images import load_data
from diswot.training import Method, Recipe, train_by
from tests.forked import run_programs
from tests.methods import test_data_free, test_web_images

ROOT = Path(__file__).parents[2]
RECIPE = Recipe(2, batch_size=2)
"""Two epochs of 12 steps; checkpoints are written after 8 steps and after each epoch."""

KILLED = """
import os, signal, sys
from pathlib import Path
from tests.methods.test_killed import trained

name, folder, last = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
done = 0

def kill(step):
    global done
    done = max(done, step.done)
    if done == last:
        os.kill(os.getpid(), signal.SIGKILL)

trained(name, folder, kill)
"""


def trained(name: str, folder: Path, progress: Callable[[Step], None] = silent) -> Method:
    """Train a small student by a method, and return the method."""
    data = load_data("digits")
    few = torch.arange(24)
    data = replace(data, train=data.train.take(few), val=data.val.take(few))
    if name == "web-images":
        method: Method = test_web_images.method_of(data, contrast_weight=0.5)
    else:
        method = test_data_free.method_of(name)
    train_by(method, data, recipe=RECIPE, folder=folder, progress=progress, checkpoint_minutes=0)
    return method


@pytest.mark.slow
@pytest.mark.processes
@pytest.mark.parametrize(("name", "last"), [("web-images", 11), ("web-images", 22), ("dafl", 10)])
def test_a_killed_training_ends_with_the_same_state(name: str, last: int, tmp_path: Path) -> None:
    whole, folder = trained(name, tmp_path / "whole").state_dict(), tmp_path / "killed"
    program = ("-c", KILLED, name, folder, str(last))
    (ended,) = run_programs([program], imports="torch", folder=ROOT)
    assert ended.status == -signal.SIGKILL, ended.err
    assert (folder / "checkpoint.pt").exists()
    resumed = trained(name, folder).state_dict()
    assert [part for part in whole if not torch.equal(whole[part], resumed[part])] == []
