"""Unknown and invalid options are refused before any work."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import diswot
import diswot.latency
from diswot.errors import OptionError, UnknownNameError, UnknownOptionError
from diswot.options import (
    DistillationOptions,
    JobOptions,
    Option,
    ResumeOptions,
    SearchOptions,
    declared,
    filled,
    nearest,
    takes_options,
)
from diswot.search import ENGINES
from search_spaces import ResNetDepthSpace
from tests.conftest import CommandLine

PUBLIC = [
    *(getattr(diswot, name) for name in diswot.__all__ if name[0].islower()),
    diswot.Budget,
    diswot.latency.calibrate,
    diswot.latency.find_latency,
]

MEANT: list[tuple[Callable[..., Any], str, str]] = [
    (diswot.distill, "lr", "'learning_rate'"),
    (diswot.distill, "batch_size", "'train_batch_size'"),
    (diswot.distill, "optimiser", "'optimizer'"),
    (diswot.distill, "learning_rat", "'learning_rate'"),
    (diswot.distill, "clip", "'max_grad_norm'"),
    (diswot.distill, "weights", "'teacher_weights'"),
    (diswot.train_teacher, "num_epochs", "'epochs'"),
    (diswot.run, "max_params", "budget=diswot.Budget(params=…)"),
    (diswot.run, "populatoin", "'population'"),
    (diswot.search, "n_jobs", "'workers'"),
    (diswot.search, "max_latency_ms", "budget=diswot.Budget(latency_ms=…)"),
    (diswot.search, "pop", "'population'"),
    (diswot.score, "proxy", "'scorer'"),
    (diswot.resume, "generation", "'generations'"),
    (diswot.load_data, "size", "'image_size'"),
    (diswot.load_data, "data_root", "'root'"),
    (diswot.export, "onx", "'onnx'"),
    (diswot.load_run, "spaces", "'space'"),
    (diswot.write_report, "plot", "'plots'"),
    (diswot.Budget, "param", "'params'"),
    (diswot.Budget, "max_params", "'params'"),
]


@pytest.mark.parametrize("function", PUBLIC, ids=lambda function: function.__name__)
def test_public_functions_refuse_unknown_options(function: Callable[..., Any]) -> None:
    with pytest.raises(UnknownOptionError, match=r"unknown option 'zzqqx': there are "):
        function(zzqqx=1)


@pytest.mark.parametrize(("function", "wrong", "meant"), MEANT)
def test_an_unknown_option_suggests_the_closest_match(
    function: Callable[..., Any], wrong: str, meant: str
) -> None:
    with pytest.raises(UnknownOptionError) as refusal:
        function(**{wrong: 1})
    assert str(refusal.value) == f"unknown option {wrong!r}: did you mean {meant}?"
    assert isinstance(refusal.value, diswot.DiswotError)


@pytest.mark.parametrize(
    ("function", "option", "value", "words"),
    [
        (
            diswot.search,
            "population",
            -1,
            "population to be a whole number from 1 to 1,000,000, but got -1",
        ),
        (diswot.search, "population", 10**20, "to 1,000,000, but got 1000"),
        (diswot.search, "population", 2.5, "whole number"),
        (diswot.search, "population", True, "whole number"),
        (diswot.search, "population", None, "whole number"),
        (diswot.search, "repeats", 10**20, "from 1 to 10,000"),
        (diswot.search, "threads", 10**6, "from 1 to 1,024"),
        (diswot.search, "threads", 10**20, "from 1 to 1,024"),
        (diswot.search, "seed", -1, "from 0"),
        (diswot.search, "seed", "0", "but got '0'"),
        (diswot.search, "workers", 0, "of at least 1"),
        (diswot.search, "cluster", 8786, "cluster to be text"),
        (diswot.score, "batch_size", 1, "from 2"),
        (diswot.run, "shortlist", 0, "from 1"),
        (diswot.run, "compare", 1, "True or False"),
        (diswot.run, "generations", 10**9, "from 0"),
        (diswot.distill, "learning_rate", 0, "a number above 0"),
        (diswot.distill, "learning_rate", float("nan"), "a number above 0, but got nan"),
        (diswot.distill, "ema", 1, "a number above 0 and below 1"),
        (diswot.distill, "epochs", 10**12, "from 1 to 1,000,000"),
        (diswot.distill, "optimizer", print, "one of sgd, adamw"),
        (diswot.resume, "generations", -1, "from 0"),
    ],
)
def test_invalid_values_are_refused_first(
    function: Callable[..., Any], option: str, value: object, words: str
) -> None:
    with pytest.raises(OptionError, match=words):
        function(**{option: value})


@pytest.mark.parametrize(
    ("option", "value", "near"),
    [("engine", "evolutoin", "evolution"), ("combination", "ranks", "rank")],
)
def test_unknown_names_suggest_the_closest_match(option: str, value: str, near: str) -> None:
    with pytest.raises(UnknownNameError, match=f"did you mean '{near}'"):
        diswot.search(**{option: value})  # type: ignore[arg-type]


def test_numpy_numbers_become_python_numbers() -> None:
    options = filled(SearchOptions, {"population": np.int64(3)})
    assert type(options["population"]) is int
    assert options["repeats"] is None  # as many as the scorer needs
    assert options["engine"] == "evolution"


def test_every_option_has_help_and_a_valid_default() -> None:
    for kind in (SearchOptions, DistillationOptions, JobOptions, ResumeOptions):
        for name, option in declared(kind).items():
            assert option.option.help.endswith("."), name
            option.checked(option.option.default)


def test_the_help_names_the_built_in_engines() -> None:
    message = declared(SearchOptions)["engine"].option.help
    assert all(name in message for name in ENGINES)


def test_a_function_with_var_keywords_must_declare_them() -> None:
    def any_keywords(**options: Any) -> None:
        """Accept any keyword."""

    with pytest.raises(TypeError, match="declare them"):
        takes_options(any_keywords)


def test_limits_are_described_in_words() -> None:
    limits = Option("", least=0, below=1)
    assert declared(DistillationOptions)["label_smoothing"].option.below == limits.below
    assert declared(DistillationOptions)["label_smoothing"].expected == (
        "a number of at least 0 and below 1"
    )


def test_nothing_is_suggested_if_no_name_is_close() -> None:
    assert nearest("zzz", ["seed", "data"]) is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("distill", "--lr", "1"), "unknown option --lr: did you mean --learning-rate?"),
        (("distill", "--learning_rate", "1"), "did you mean --learning-rate?"),
        (("search", "--populaton", "1"), "did you mean --population?"),
        (("search", "--params", "1"), "did you mean --max-params?"),
        (("run", "--batch", "1"), "did you mean --batch-size?"),
        (("resume", "x", "--population", "4"), "unknown option --population"),
    ],
)
def test_unknown_flags_suggest_the_closest_match(
    cli: CommandLine, arguments: tuple[str, ...], message: str
) -> None:
    outcome = cli(*arguments)
    assert outcome.code == 2
    assert message in outcome.err
    assert outcome.err.count("\n") == 1


def test_renamed_options_report_their_new_name(cli: CommandLine) -> None:
    outcome = cli("distill", "--optimiser=adam", "--clip", "1")
    assert outcome.err.splitlines()[:2] == [
        "diswot: note: --optimiser is now --optimizer",
        "diswot: note: --clip is now --max-grad-norm",
    ]
    assert "'adam' is not one of" in outcome.err
    assert "--optimiser" not in cli("distill", "--help").out


def test_spaces_refuse_unknown_options_by_name() -> None:
    with pytest.raises(TypeError, match="'widhts': did you mean 'widths'"):
        ResNetDepthSpace(widhts=(8, 16, 32))  # type: ignore[call-arg]
