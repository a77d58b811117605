"""Loss expressions: parsing, meaning, and the position of errors."""

import json
from pathlib import Path

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from diswot.errors import DiswotError, OptionError, UnknownNameError
from diswot.losses import (
    PRESETS,
    Card,
    Preset,
    Term,
    parse_objective,
    register,
    register_preset,
    terms,
)
from tests.conftest import CommandLine
from tests.losses.networks import activations, built, residual, value
from tests.plugin import said_with_plugin


def read(text: str) -> list[tuple[str, float, dict[str, object]]]:
    return [(part.name, part.weight, part.options) for part in parse_objective(text).parts]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ce", [("ce", 1, {})]),
        ("ce + 0.9*kd(T=4)", [("ce", 1, {}), ("kd(T=4)", 0.9, {"T": 4})]),
        (" 2 * ce\n + kd ", [("ce", 2, {}), ("kd", 0.9, {})]),
        ("1e3*at + 0*ce", [("at", 1000, {}), ("ce", 0, {})]),
        ("at + (ce + kd)", [("at", 1000, {}), ("ce", 1, {}), ("kd", 0.9, {})]),
        (
            'at(student=["layer1", "layer2.0"], teacher="stages.0")',
            [
                (
                    'at(student=["layer1", "layer2.0"], teacher="stages.0")',
                    1000,
                    {"student": ["layer1", "layer2.0"], "teacher": "stages.0"},
                )
            ],
        ),
    ],
)
def test_an_expression_is_a_sum_of_weighted_terms(
    text: str, expected: list[tuple[str, float, dict[str, object]]]
) -> None:
    assert read(text) == expected


def test_a_preset_name_is_parsed_as_its_expression() -> None:
    known = PRESETS["diswot"]
    register_preset("diswot", known)
    with pytest.raises(OptionError, match=r"stands for 0\.1\*ce \+ 0\.9\*kd\(T=4\) already"):
        register_preset("diswot", Preset("ce", "another"))
    assert PRESETS["diswot"] is known


def test_text_arguments_need_no_quotes() -> None:
    assert read("at(student=layer3)") == [("at(student=layer3)", 1000, {"student": "layer3"})]


def test_presets_parse_like_their_expressions() -> None:
    names = ("alone", "diswot", "diswot-dagger")
    assert [parse_objective(name).text for name in names] == [*names]
    assert read("alone") == [("ce", 1, {})]
    assert read("diswot") == [("ce", 0.1, {}), ("kd(T=4)", 0.9, {"T": 4})]
    assert read("diswot-dagger")[2:] == [("semantic", 1, {}), ("relation", 1, {})]
    assert [parse_objective(name).needs_teacher for name in names] == [False, True, True]


@pytest.mark.parametrize(
    ("text", "message", "caret"),
    [
        ("ce +", "expected terms joined with +", 4),
        ("ce + kd(T=4", "does not parse", 7),
        ("ce kd", "does not parse", 3),
        ("ce - kd", "expected terms joined with +", 0),
        ("ce + 'kd'", "but got \"'kd'\"", 5),
        ("ce + 3", "but got '3'", 5),
        ("-1*ce", "a weight of at least 0", 0),
        ("ce + 1e999*kd", "a weight of at least 0", 5),
        ("ce + kd*2", "a weight of at least 0", 5),
        ("ce + True*kd", "a weight of at least 0", 5),
        ("ce + kd(4)", "options are given by keyword", 8),
        ("ce + kd(**T)", "options are given by keyword", 8),
        ("ce + kd(t=4)", "kd has no option 't': its options are T", 8),
        ("ce(T=4)", "ce has no option 'T': its options are none", 3),
        ("ce + kd(T=1, T=2)", "T appears twice", 13),
        ("ce + kd(T=0)", "kd takes a number above 0 as T", 10),
        ("ce + kd(T='4')", "kd takes a number above 0 as T", 10),
        ("ce + kd(T=True)", "kd takes a number above 0 as T", 10),
        ("ce + kd(T=2+2)", "kd takes a number above 0 as T", 10),
        ("at(student=[])", "a dotted path or a list of them as student", 11),
        ("at(student=[1])", "a dotted path or a list of them as student", 11),
        ("ce + kd + ce", "ce appears twice", 10),
        ("ce + open('x').read()", "expected terms joined with +", 5),
        ("ce + kd()()", "expected terms joined with +", 5),
        ("ce + kd(T=__import__('os'))", "kd takes a number above 0 as T", 10),
        ("ce + kdd", "unknown loss 'kdd': did you mean 'kd'", 5),
        ("ce + nowhere:loss", "no module 'nowhere' can be imported", 5),
        ("ce + math:pi", "expected a function of (student, teacher, batch) or a Term", 5),
        ("ce + math:sqrt", "expected a function of (student, teacher, batch) or a Term", 5),
        ("kdé(T=4) + kd(", "does not parse", 13),
        ("ce\0", "does not parse", 3),
    ],
)
def test_an_error_is_one_line_with_a_caret_at_its_position(
    text: str, message: str, caret: int
) -> None:
    with pytest.raises((OptionError, UnknownNameError)) as caught:
        parse_objective(text)
    expected_message, expression, below = str(caught.value).split("\n")
    assert message in expected_message
    assert expression == f"  {text}"
    assert below == f"  {' ' * caret}^"


@pytest.mark.parametrize("text", ["", " \n"])
def test_an_empty_expression_is_refused(text: str) -> None:
    with pytest.raises(OptionError, match="but got nothing: diswot list losses names them"):
        parse_objective(text)


@pytest.mark.parametrize("place", [0, 40, 99])
def test_a_long_expression_is_shortened_around_the_caret(place: int) -> None:
    written = [f"{number}*ce(a={number})" for number in range(100)]
    names = [f"kd(T={1 + number})" for number in range(100)]
    names[place] = written[place]
    with pytest.raises(OptionError) as caught:
        parse_objective(" + ".join(names))
    expected_message, expression, below = str(caught.value).split("\n")
    assert "ce has no option 'a'" in expected_message
    assert len(expression) < 80
    assert expression[below.index("^") :].startswith(f"a={place})")


def test_an_expression_of_any_depth_is_read_or_refused() -> None:
    for text in ("(" * 5000 + "ce" + ")" * 5000, " + ".join(["ce"] * 20_000), "-" * 9999 + "ce"):
        with pytest.raises(OptionError):
            parse_objective(text)


NUMBERS = st.floats(0, 1e6, allow_nan=False) | st.integers(0, 10**9)
PARTS = st.lists(
    st.tuples(st.none() | NUMBERS, st.sampled_from(sorted(terms()))),
    min_size=1,
    unique_by=lambda part: part[1],
)


@given(parts=PARTS, spaces=st.sampled_from(["", " ", "\n  "]))
def test_an_expression_is_read_back_as_its_terms(
    parts: list[tuple[float | None, str]], spaces: str
) -> None:
    assume(any(weight != 0 for weight, _ in parts))
    text = f"{spaces}+{spaces}".join(
        name if weight is None else f"{weight!r}{spaces}*{spaces}{name}" for weight, name in parts
    )
    assert read(text) == [
        (name, terms()[name].card.weight if weight is None else weight, {})
        for weight, name in parts
    ]


@given(text=st.text("cekdat01.*+()=,:'[]TéX \n#\\\0-", max_size=30))
def test_any_text_is_read_or_refused_with_a_caret_inside(text: str) -> None:
    try:
        objective = parse_objective(text)
    except DiswotError as error:
        expected_message, *where = str(error).split("\n")
        assert expected_message
        if where:
            expression, below = where
            assert below.strip(" ") == "^"
            assert 2 <= below.index("^") <= len(expression)
    else:
        assert objective.parts


OWN = '''
import torch
from diswot.losses import Card, MapTerm, Term, register

def cosine(student, teacher, batch, *, power: float = 1.0):
    """Angle of the logits."""
    alike = torch.cosine_similarity(student.output, teacher.output.detach())
    return (1 - alike).pow(power).mean()

class Margin(Term):
    def __init__(self, setting, *, least: float = 1.0):
        super().__init__(setting)
        self.scale = torch.nn.Parameter(torch.ones(setting.outputs))
        self.least = least

    def forward(self, student, teacher, batch):
        return (self.least - self.scale * student.output).relu().mean()

@register(Card("own_sum", "sum of the logits", "an example", weight=3.0, needs_teacher=False))
def own_sum(student, teacher, batch):
    return student.output.sum()

def of_each_image(student, teacher, batch, *, power):
    return student.output.sum(dim=1) ** power

not_a_loss = 3
'''


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "own_losses.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    return "own_losses"


def test_a_user_function_can_be_a_term(own: str) -> None:
    student, teacher = residual(1, 4, 4, 4), residual(2, 4, 4, 4)
    name = f"{own}:cosine(power=2)"
    objective = parse_objective(f"ce + 0.5*{name}")
    assert objective.parts[1].kind.card.summary == "Angle of the logits."
    found = value(built(objective.text, student, teacher), student, teacher).terms[name]
    alike = torch.cosine_similarity(activations(student).output, activations(teacher).output)
    expected = 0.5 * (1 - alike).square().mean()
    torch.testing.assert_close(found, expected.detach())


def test_a_user_term_can_have_trainable_parts(own: str) -> None:
    student, teacher = residual(1, 4, 4, 4), residual(2, 4, 4, 4)
    criterion = built(f"ce + {own}:Margin(least=2)", student, teacher)
    value(criterion, student, teacher).total.backward()  # type: ignore[no-untyped-call]
    (scale,) = criterion.parameters()
    assert scale.grad is not None
    assert scale.grad.abs().sum() > 0


def test_a_registered_term_is_found_by_the_name_of_its_card(own: str) -> None:
    assert read(f"{own}:own_sum") == [(f"{own}:own_sum", 3, {})]
    assert read("own_sum + kd") == [("own_sum", 3, {}), ("kd", 0.9, {})]
    assert not parse_objective("own_sum").needs_teacher


def test_an_option_without_a_default_must_be_given(own: str) -> None:
    with pytest.raises(OptionError, match="of_each_image needs power=…, which has no default"):
        parse_objective(f"ce + {own}:of_each_image")


def test_a_loss_must_be_one_number(own: str) -> None:
    student, teacher = residual(1, 4, 4, 4), residual(2, 4, 4, 4)
    criterion = built(f"{own}:of_each_image(power=2)", student, teacher)
    with pytest.raises(OptionError, match=r"expected a tensor of one number.*shape \(6,\)"):
        value(criterion, student, teacher)


def test_an_object_that_is_not_a_loss_is_refused(own: str) -> None:
    with pytest.raises(OptionError, match="or a Term, but got int"):
        parse_objective(f"ce + {own}:not_a_loss")


@pytest.mark.processes
def test_terms_of_an_installed_package_are_found(tmp_path: Path) -> None:
    ask = (
        "from diswot.losses import parse_objective; "
        "print([part.weight for part in parse_objective('ce + own_sum').parts])"
    )
    expected_message = said_with_plugin(ask, tmp_path, group="diswot.losses", code=OWN)
    assert expected_message == "[1.0, 3.0]\n"


def test_list_losses_prints_presets_and_terms_with_weights(cli: CommandLine) -> None:
    listed = json.loads(cli("list", "losses", "--json").out)["losses"]
    assert "0.1*ce + 0.9*kd(T=4)" in listed["diswot"]
    for name, kind in terms().items():
        assert f"weight {kind.card.weight:g}" in listed[name]
    assert "T=4.0" in listed["kd"]


def test_the_command_line_marks_the_position_of_an_error(cli: CommandLine) -> None:
    outcome = cli("distill", "--arch", "1-1-1", "--space", "s0", "--loss", "ce + kd(t=4)")
    assert outcome.code == 2
    assert outcome.err == (
        "diswot: loss: kd has no option 't': its options are T\n  ce + kd(t=4)\n          ^\n"
    )


def test_registering_a_class_returns_it_unchanged() -> None:
    card = Card("as_it_is", "nothing", "an example", needs_teacher=False)
    decorated = register(card)(EmptyTerm)
    assert decorated is EmptyTerm
    assert terms()["as_it_is"].card is card


class EmptyTerm(Term):
    """A term without an implementation."""
