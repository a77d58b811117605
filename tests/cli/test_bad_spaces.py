"""User-defined teachers, spaces and architectures that cannot be used: one line each."""

import pytest

from tests.cli.conftest import COMMANDS, ONE_EPOCH, QUICK, SPACE, Refused


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_teacher_with_another_number_of_classes_is_refused(
    refused: Refused, command: tuple[str, ...]
) -> None:
    line = refused(*command, "--teacher", "tests.cli.faulty:seven_classes")
    assert "7 classes" in line
    assert "10" in line


@pytest.mark.parametrize("name", ["no_network", "raising_teacher"])
def test_a_callable_that_returns_no_network_is_refused(refused: Refused, name: str) -> None:
    assert name in refused("search", "--teacher", f"tests.cli.faulty:{name}")


@pytest.mark.parametrize(
    "command",
    [
        ("search", *QUICK),
        ("score", "width=2", "--teacher", "resnet20"),
        ("distill", "--arch", "width=2", "--teacher", "resnet20", *ONE_EPOCH),
    ],
    ids=lambda command: command[0],
)
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("NoSpace", "SearchSpace"),
        ("ConstructorRaises", "no space"),
        ("NoFields", "Choice"),
        ("BuildRaises", "no network"),
        ("BuildsNoModule", "str"),
        ("NoFeatureMap", "feature map"),
        ("WrongClasses", "11 classes"),
        ("WrongChannels", "(1, 16, 16)"),
    ],
)
def test_a_space_with_unusable_networks_is_refused(
    refused: Refused, command: tuple[str, ...], name: str, reason: str
) -> None:
    assert reason in refused(*command, "--space", f"tests.cli.faulty:{name}")


def test_a_space_that_cannot_be_sampled_is_refused(refused: Refused) -> None:
    assert "no sample" in refused("search", *QUICK, "--space", "tests.cli.faulty:SampleRaises")


@pytest.mark.parametrize(
    ("space", "name"),
    [
        ("s0", "1-1"),
        ("s0", "2-1-1"),
        ("s0", "rubbish"),
        ("s0", "two\nlines"),
        ("s0", ""),
        ("nas-bench-201", "1-1-1"),
        ("nas-bench-201", "|none~0|"),
        ("nas-bench-201", "|none~0|+|none~0|none~1|+|none~0|none~1|fly~2|"),
        ("nas-bench-201", "|none~0|+|none~0|none~x|+|none~0|none~1|none~2|"),
        (SPACE, "width=3"),
        (SPACE, "width=2,width=2"),
        (SPACE, "width"),
    ],
)
@pytest.mark.parametrize(
    "command",
    [("score", "--teacher", "resnet20"), ("distill", "--teacher", "resnet20", "--arch")],
    ids=lambda command: command[0],
)
def test_a_malformed_architecture_is_refused(
    refused: Refused, command: tuple[str, ...], space: str, name: str
) -> None:
    assert "xpected" in refused(command[0], "--space", space, *command[1:], name)


def test_a_space_is_checked_before_a_teacher_is_trained(refused: Refused) -> None:
    line = refused("run", *QUICK, *ONE_EPOCH, "--teacher-state", "trained", "--space", "s1")
    assert "'s0'" in line
