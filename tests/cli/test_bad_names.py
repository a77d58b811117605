"""Unknown names, choices, commands and references: one line with the closest match."""

from pathlib import Path

import pytest

from tests.cli.conftest import COMMANDS, Refused


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize(
    ("option", "given", "meant"),
    [
        ("--teacher", "resnet65", "resnet56"),
        ("--space", "nasbench-201", "nas-bench-201"),
        ("--data", "cifar-100", "cifar100"),
    ],
)
def test_an_unknown_name_suggests_the_closest_match(
    refused: Refused, command: tuple[str, ...], option: str, given: str, meant: str
) -> None:
    line = refused(*command, option, given)
    assert repr(given) in line
    assert repr(meant) in line


@pytest.mark.parametrize("command", COMMANDS[:3], ids=lambda command: command[0])
@pytest.mark.parametrize("scorer", ["semantics", "relation+semantics"])
def test_an_unknown_scorer_suggests_the_closest_match(
    refused: Refused, command: tuple[str, ...], scorer: str
) -> None:
    assert "'semantic'" in refused(*command, "--scorer", scorer)


def test_an_unknown_loss_suggests_the_closest_match(refused: Refused) -> None:
    assert "'diswot-dagger'" in refused("distill", "--arch", "1-1-1", "--loss", "diswot-daggr")


@pytest.mark.parametrize(
    ("arguments", "known"),
    [
        (("search", "--engine", "annealing"), "evolution"),
        (("search", "--combination", "product"), "standard"),
        (("score", "1-1-1", "--teacher-state", "tired"), "trained"),
        (("list", "planets"), "teachers"),
    ],
    ids=["engine", "combination", "teacher state", "list"],
)
def test_an_unknown_choice_lists_the_valid_ones(
    refused: Refused, arguments: tuple[str, ...], known: str
) -> None:
    assert known in refused(*arguments)


@pytest.mark.parametrize("arguments", [("serach",), ("search", "--teachr", "resnet20")])
def test_an_unknown_command_or_option_is_refused(
    refused: Refused, arguments: tuple[str, ...]
) -> None:
    assert arguments[-2 if len(arguments) > 2 else 0] in refused(*arguments)


@pytest.mark.parametrize("option", ["--teacher", "--space", "--data"])
@pytest.mark.parametrize(
    "reference", ["nomodule:X", "os:nothing", "os:", ":X", "os:path:sep", "no module:X"]
)
def test_a_reference_to_a_missing_object_is_refused(
    refused: Refused, option: str, reference: str
) -> None:
    assert option.removeprefix("--")[:4] in refused("search", option, reference)


@pytest.mark.parametrize("option", ["--teacher", "--space", "--data"])
@pytest.mark.parametrize(
    ("source", "reason"),
    [("def (", "invalid syntax"), ("raise RuntimeError('not\\ntoday')", "not")],
    ids=["syntax error", "raises"],
)
def test_a_module_that_cannot_be_imported_is_refused(
    refused: Refused, tmp_path: Path, option: str, source: str, reason: str
) -> None:
    # The command line also looks in the current folder, which is not on sys.path.
    (tmp_path / "broken_module.py").write_text(source)
    assert reason in refused("search", option, "broken_module:X")
