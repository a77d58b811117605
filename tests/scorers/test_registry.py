"""Scorers by name, by expression and defined by users."""

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from diswot.errors import DiswotError, OptionError, UnknownNameError
from diswot.networks import Activations
from diswot.scorers import find_scorer, scorers
from tests.plugin import said_with_plugin


def test_every_scorer_has_a_card_with_its_source() -> None:
    for name, scorer in scorers().items():
        assert scorer.card.name == name
        assert scorer.card.summary
        assert scorer.card.source


def test_names_joined_with_plus_share_one_pass() -> None:
    scorer = find_scorer("semantic_grad+relation_gram")
    assert list(scorer.terms) == ["semantic_grad", "relation_gram"]
    assert scorer.card.needs_labels


def test_a_function_can_be_a_scorer() -> None:
    def width(student: Activations, teacher: Activations) -> Tensor:
        return student.features.sum() - teacher.features.sum()

    assert list(find_scorer(width).terms) == ["width"]


OFFERED = """
from diswot.scorers import Card, register, scorers

assert "nwot" in scorers()


@register(Card("offered", "one everywhere", "a package"))
def offered(student, teacher):
    return 1.0
"""


@pytest.mark.processes
def test_scorers_of_an_installed_package_are_found(tmp_path: Path) -> None:
    ask = "from diswot.scorers import find_scorer; print(find_scorer('offered+nwot').formula)"
    message = said_with_plugin(ask, tmp_path, group="diswot.scorers", code=OFFERED)
    assert message == "offered+nwot\n"


def test_an_unknown_name_suggests_the_closest_match() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'semantic'"):
        find_scorer("semntic")


def test_an_object_that_is_not_a_scorer_is_refused() -> None:
    with pytest.raises(OptionError, match="but got 3"):
        find_scorer(3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("expression", "formula", "terms"),
    [
        ("logrank(nwot,params)", "logrank(nwot,params)", ["nwot", "params"]),
        ("logrank(diswot, params)", "logrank(semantic+relation,params)", None),
        ("diswot+nwot", "semantic+relation+nwot", ["semantic", "relation", "nwot"]),
        ("rank(nwot+snip,params)", "rank(nwot+snip,params)", ["nwot", "snip", "params"]),
        ("logrank(az_nas,params)", None, None),
        ("sum(nwot,snip)", "nwot+snip", None),
    ],
)
def test_expressions_have_their_formula_and_terms(
    expression: str, formula: str | None, terms: list[str] | None
) -> None:
    scorer = find_scorer(expression)
    assert formula is None or str(scorer.formula) == formula
    assert terms is None or list(scorer.terms) == terms


def test_an_expression_has_the_requirements_of_its_parts() -> None:
    scorer = find_scorer("logrank(snip,relation,nwot)")
    assert scorer.card.needs_gradients
    assert scorer.card.needs_labels
    assert scorer.card.needs_teacher
    assert set(scorer.watches) == set(find_scorer("nwot").watches)
    assert not find_scorer("logrank(nwot,params)").card.needs_teacher


@pytest.mark.parametrize(
    "expression",
    [
        "nwot*params",
        "logrank()",
        "logrank(nwot",
        "product(nwot,params)",
        "logrank(nwot,k=3)",
        "nwot.real",
        "1",
        "",
        "__import__('os')",
        "(" * 5000,
        "nwot+" * 5000 + "nwot+",
    ],
)
def test_an_invalid_expression_is_a_one_line_error(expression: str) -> None:
    with pytest.raises(DiswotError) as caught:
        find_scorer(expression)
    assert "\n" not in str(caught.value)


@given(text=st.text(max_size=40))
def test_any_text_is_parsed_or_a_diswot_error(text: str) -> None:
    with suppress(DiswotError):
        assert find_scorer(text).terms


def test_rank_expressions_rank_among_the_given_candidates() -> None:
    formula = find_scorer("logrank(nwot,params)").formula
    terms = {"nwot": np.array([3.0, 1.0, 2.0]), "params": np.array([1.0, 1.0, 5.0])}
    expected = np.log(np.array([3, 1, 2]) / 3) + np.log(np.array([1.5, 1.5, 3]) / 3)
    np.testing.assert_allclose(formula.scores(terms, reference=3), expected)
