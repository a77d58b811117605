"""Invalid budgets, counts, batch sizes and devices: one line that names the option."""

import pytest

from tests.cli.conftest import QUICK, SPACE, Refused


@pytest.mark.parametrize("option", ["--max-params", "--max-macs"])
@pytest.mark.parametrize("number", ["3oo", "-5", "0", "", "0.2", "1e3", "k", "9" * 400])
def test_a_budget_that_is_not_a_number_is_refused(
    refused: Refused, option: str, number: str
) -> None:
    assert option in refused("search", *QUICK, option, number)


@pytest.mark.parametrize("command", ["search", "run"])
@pytest.mark.parametrize(
    ("option", "smallest"), [("--max-params", "params 50"), ("--max-macs", "macs 4,628")]
)
def test_an_unmet_budget_reports_the_smallest_network(
    refused: Refused, command: str, option: str, smallest: str
) -> None:
    forms = ("--no-onnx",) if command == "run" else ()
    line = refused(command, *QUICK, *forms, option, "10")
    assert "width=2" in line
    assert smallest in line


@pytest.mark.parametrize(
    ("option", "number"),
    [
        ("--repeats", "0"),
        ("--population", "0"),
        ("--generations", "-1"),
        ("--seed", "-1"),
        ("--batch-size", "1"),
        ("--batch-size", "many"),
    ],
)
def test_a_number_out_of_range_is_refused(refused: Refused, option: str, number: str) -> None:
    assert option in refused("search", *QUICK, option, number)


@pytest.mark.parametrize("option", ["--epochs", "--teacher-epochs"])
def test_a_training_of_zero_epochs_is_refused(refused: Refused, option: str) -> None:
    assert option in refused("distill", "--arch", "1-1-1", option, "0")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--train-batch-size", "0"),
        ("--optimizer", "adam"),
        ("--learning-rate", "0"),
        ("--learning-rate", "inf"),
        ("--weight-decay", "-1"),
        ("--weight-decay", "nan"),
        ("--schedule", "linear"),
        ("--warmup-epochs", "-1"),
        ("--ema", "1"),
        ("--label-smoothing", "1"),
        ("--mixup", "-0.1"),
        ("--cutmix", "many"),
        ("--augment", "all"),
        ("--max-grad-norm", "0"),
        ("--gradient-accumulation", "0"),
        ("--precision", "double"),
    ],
)
@pytest.mark.parametrize("command", [("distill", "--arch", "1-1-1"), ("run",)])
def test_invalid_training_options_are_refused(
    refused: Refused, command: tuple[str, ...], option: str, value: str
) -> None:
    assert option in refused(*command, option, value)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--warmup-epochs", "3", "--epochs", "3"), "less than 3 epochs, but got 3"),
        (("--gradient-accumulation", "3", "--train-batch-size", "16"), "gradient accumulation 3"),
        (("--precision", "fp16"), "Expected a GPU for the precision fp16"),
    ],
)
def test_incompatible_settings_are_refused(
    refused: Refused, options: tuple[str, ...], words: str
) -> None:
    command = ("distill", "--arch", "1-1-1", "--loss", "alone", "--device", "cpu")
    assert words in refused(*command, *options, "--out", "d")


@pytest.mark.parametrize("command", [("search",), ("run", "--no-onnx"), ("score", "width=2")])
def test_a_batch_larger_than_the_data_is_refused(
    refused: Refused, command: tuple[str, ...]
) -> None:
    line = refused(*command, "--space", SPACE, "--teacher", "resnet20", "--batch-size", "100000")
    assert "300" in line
    assert "100000" in line


@pytest.mark.parametrize(
    "command",
    [
        ("search", *QUICK),
        ("run", *QUICK),
        ("score", "width=2", "--space", SPACE),
        ("distill", "--arch", "width=2", "--space", SPACE),
    ],
    ids=lambda command: command[0],
)
@pytest.mark.parametrize("device", ["nonsense", "cuda:99", "meta"])
def test_an_unusable_device_is_refused(
    refused: Refused, command: tuple[str, ...], device: str
) -> None:
    assert device in refused(*command, "--device", device)


@pytest.mark.parametrize("command", ["search", "run"])
def test_a_search_under_torchrun_is_refused(
    refused: Refused, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert "start it without torchrun" in refused(command, *QUICK)
