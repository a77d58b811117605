"""Methods with several players: turns, separate optimizers, and resumption."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from diswot.errors import OptionError, RunFolderError
from diswot.training import read_metrics
from tests.training.adversarial import Adversarial, contest
from tests.training.test_resume import kill_after, measured


def test_players_take_turns_in_order_and_every_few_steps() -> None:
    trained, method = contest(None, epochs=1)
    assert isinstance(method, Adversarial)
    # 24 steps of two parts; the critic has a turn in every second step
    assert method.turns == (["critic"] * 2 + ["student"] * 4) * 12
    (epoch,) = trained.history
    names = {"critic.teacher", "critic.student", "critic.total", "fooled", "labels"}
    assert set(epoch.terms) == names
    assert epoch.train_loss == pytest.approx(epoch.terms["fooled"] + epoch.terms["labels"])
    critic = epoch.terms["critic.teacher"] + epoch.terms["critic.student"]
    assert epoch.terms["critic.total"] == pytest.approx(critic)


def test_a_player_changes_only_its_own_parameters() -> None:
    before = Adversarial()
    _, after = contest(None, epochs=1, every=24)  # one turn of the critic, 24 of the student

    def moved(method: Adversarial, module: str) -> float:
        pairs = zip(
            getattr(before, module).parameters(), getattr(method, module).parameters(), strict=True
        )
        return max(float((one - other).detach().abs().max()) for one, other in pairs)

    assert isinstance(after, Adversarial)
    # AdamW moves a parameter by at most its learning rate; the student's loss reaches it, too
    assert 0 < moved(after, "critic") <= 0.011
    assert moved(after, "student") > 0.02
    assert all(parameter.grad is None for parameter in after.teachers["teacher"].parameters())


@pytest.mark.processes
def test_a_killed_training_of_two_players_gives_the_same_weights(tmp_path: Path) -> None:
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    contest(whole)
    kill_after(2, stopped, module="tests.training.adversarial")
    parts = torch.load(stopped / "checkpoint.pt", weights_only=True)["parts"]
    assert set(parts) == {"method", "average", "optimizer of critic", "optimizer of student"}
    contest(stopped)
    for name in ("best", "last"):
        file = f"{name}.safetensors"
        assert (stopped / file).read_bytes() == (whole / file).read_bytes()
    assert measured(stopped) == measured(whole)
    assert _critic(stopped) == _critic(whole)
    assert [epoch.metric for epoch in read_metrics(stopped)] == ["accuracy"] * 2


def _critic(folder: Path) -> list[list[float]]:
    method: dict[str, Tensor] = torch.load(folder / "checkpoint.pt", weights_only=True)["parts"][
        "method"
    ]
    return [value.flatten().tolist() for name, value in method.items() if "critic" in name]


@pytest.mark.slow
def test_a_checkpoint_of_another_method_is_refused(tmp_path: Path) -> None:
    contest(tmp_path, epochs=1)
    with pytest.raises(RunFolderError, match="its epochs is 1, but got 2"):
        contest(tmp_path, epochs=2)


def test_a_player_without_parameters_is_refused_by_name() -> None:
    with pytest.raises(OptionError, match="the player 'critic' of Adversarial to have parameters"):
        contest(None, frozen=True)


@pytest.mark.parametrize("every", [0, 25])
def test_a_player_that_never_has_a_turn_is_refused(every: int) -> None:
    with pytest.raises(OptionError, match=f"a turn every 1 to 24 steps.*, but got {every}"):
        contest(None, every=every)
