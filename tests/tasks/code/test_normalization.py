"""Tokens of source code: names are normalized, strings and numbers dropped."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diswot.tasks.code import language_of, normalized

NAMES = st.from_regex(r"[a-z]{3,8}_", fullmatch=True)


def words(source: str, language: str, *, masked: bool = False) -> str:
    return " ".join(normalized(source, language, masked))


def test_names_in_solidity_are_numbered_by_first_use() -> None:
    source = """pragma solidity ^0.4.2;
    contract Bank { /* a comment */
        function pay(uint amount) { msg.sender.call.value(amount)(); check("text", 0x20, 5); }
        function check(string s, uint a, uint b) {}
    }"""
    assert words(source, "solidity") == (
        "pragma solidity ^ ; contract VAR1 { function FUN1 ( uint VAR2 ) "
        "{ msg . sender . call . value ( VAR2 ) ( ) ; FUN2 ( , , ) ; } "
        "function FUN2 ( string VAR3 , uint VAR4 , uint VAR5 ) { } }"
    )


def test_what_decides_code_patterns_is_masked() -> None:
    source = "def f(a=[]):\n  try:\n    assert a\n  except Exception as e:\n    raise e from None"
    assert words(source, "python", masked=True) == (
        "def FUN1 ( VAR1 = <mask> ) : <line> <indent> try : <line> <indent> <mask> VAR1 <line> "
        "<dedent> except <mask> as VAR2 : <line> <indent> <mask> VAR2 from None <line> "
        "<dedent> <dedent>"
    )
    assert words(source.replace("Exception", "KeyError"), "python", masked=True) == words(
        source, "python", masked=True
    )


def test_python_keeps_its_built_ins_but_not_those_that_decide() -> None:
    assert words("print(eval(f'{x} {len(y)}'), 1, b'2')", "python") == (
        "print ( FUN1 ( ( VAR1 , len ( VAR2 ) ) ) , , ) <line>"
    )


@pytest.mark.parametrize(
    ("source", "language"), [("contract {", "solidity"), ("def f(:", "python"), ("\0", "python")]
)
def test_source_that_does_not_parse_is_an_error(source: str, language: str) -> None:
    with pytest.raises(ValueError, match="it is not"):
        normalized(source, language)


def test_preprocessor_directives_mark_c_dialects() -> None:
    source = '#include "vnt.h"\nKEY uint256 n = 3; // #pragma'
    assert language_of(source) == "c"
    assert language_of("contract A { /* # */ }") == "solidity"
    assert words(source, "c") == "VAR1 uint256 VAR2 = ;"


@given(st.lists(NAMES, min_size=3, max_size=3, unique=True))
def test_tokens_do_not_depend_on_names(names: list[str]) -> None:
    template = "{0} {1}; while ({1} < 3) {{ {2}({1}); }}"
    expected = "VAR1 VAR2 ; while ( VAR2 < ) { FUN1 ( VAR2 ) ; }"
    assert words(template.format(*names), "c") == expected
    python = f"{names[0]} = {names[1]}\n{names[2]}({names[1]})"
    assert words(python, "python") == "VAR1 = VAR2 <line> FUN1 ( VAR2 ) <line>"


@given(st.text(alphabet="ab(){};\"'/*\\\n#1 ", max_size=30))
def test_the_lexer_takes_any_text(source: str) -> None:
    assert all(token and not token[0].isspace() for token in normalized(source, "c"))
