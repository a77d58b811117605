"""Scorers by name, by expression and of the user's own."""

import pytest
from torch import Tensor

from diswot.activations import Activations
from diswot.errors import OptionError, UnknownNameError
from diswot.scorers import find_scorer, scorers


def test_every_scorer_has_a_card_that_says_where_it_comes_from() -> None:
    for name, scorer in scorers().items():
        assert scorer.card.name == name
        assert scorer.card.summary
        assert scorer.card.source


def test_names_joined_with_plus_read_one_pass() -> None:
    scorer = find_scorer("semantic_grad+relation_gram")
    assert list(scorer.terms) == ["semantic_grad", "relation_gram"]
    assert scorer.card.needs_labels


def test_a_function_is_a_scorer() -> None:
    def width(student: Activations, teacher: Activations) -> Tensor:
        return student.features.sum() - teacher.features.sum()

    assert list(find_scorer(width).terms) == ["width"]


def test_an_unknown_name_is_met_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'semantic'"):
        find_scorer("semntic")


def test_nonsense_is_no_scorer() -> None:
    with pytest.raises(OptionError, match="but got 3"):
        find_scorer(3)  # type: ignore[arg-type]
