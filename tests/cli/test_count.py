"""Numbers with a suffix: 300k, 1.5M, 2G."""

import re

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diswot.cli import Count

UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}


def read(text: object) -> int:
    return Count().convert(text, None, None)


@given(number=st.integers(1, 10**30), unit=st.sampled_from(sorted(UNITS)))
def test_a_suffix_multiplies_the_number(number: int, unit: str) -> None:
    assert read(f"{number}{unit}") == number * UNITS[unit]


@given(number=st.integers(1, 10**12), unit=st.sampled_from(["k", "M", "G"]))
def test_a_number_written_with_a_suffix_is_read_back(number: int, unit: str) -> None:
    places = len(str(UNITS[unit])) - 1
    whole, part = divmod(number, UNITS[unit])
    assert read(f"{whole}.{part:0{places}d}{unit}") == number


@given(number=st.integers(1, 10**30))
def test_a_number_without_suffix_is_unchanged(number: int) -> None:
    assert read(number) == number


@pytest.mark.parametrize(
    ("text", "number"), [("300k", 300_000), ("1.5M", 1_500_000), ("2G", 2 * 10**9), (" 7 ", 7)]
)
def test_the_examples_in_the_help_are_valid(text: str, number: int) -> None:
    assert read(text) == number


WORDS = ["", " ", "k", "3oo", "1,000", "1e3", "3K", "3 k", "3kk", "inf", "nan", "0x10", "1_000"]
NUMBERS = ["0", "0k", "0.2", "-5", "−5", "+5", "1.k", ".5k", "9" * 400 + "."]


@pytest.mark.parametrize("text", WORDS + NUMBERS)
def test_invalid_text_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match=re.escape(repr(text))):
        read(text)


@given(text=st.text().filter(lambda text: not re.match(r"\s*\d", text)))
def test_text_that_does_not_start_with_a_digit_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter) as refusal:
        read(text)
    assert "\n" not in refusal.value.format_message()


@given(text=st.from_regex(r"\d{1,400}(\.\d{1,400})?[kMGT]?", fullmatch=True))
def test_any_number_is_positive_or_refused(text: str) -> None:
    try:
        assert read(text) >= 1
    except click.BadParameter as refusal:
        assert repr(text) in str(refusal)  # noqa: PT017  either is right
