"""Source code as tokens with normalized names.

Functions are FUN1, FUN2, … and other names VAR1, VAR2, … in the order of their first use;
comments, strings and numbers are dropped. Python is parsed by `ast`, Solidity by tree-sitter,
and C dialects are read by a lexer. The module needs nothing else of the package, because it is
copied to the folders of exported students.
"""

import ast
import builtins
import io
import re
import tokenize
import warnings
from functools import cache
from itertools import pairwise

MASK = "<mask>"
"""Token in place of what decides a label by rule."""

MOST_NAMES = 30
"""Further functions or names of one text share the last number."""

SUFFIXES = {".py": "python", ".sol": "solidity", ".c": "c"}
"""Suffixes of files with source code, and their languages."""

LANGUAGES = tuple(SUFFIXES.values())

PYTHON_DECIDING = ("eval", "exec", "compile", "__import__")
"""Built-in functions of Python that are renamed like functions of users."""

SOLIDITY = frozenset(
    re.findall(
        r"\w+",
        """
        abi assert balance block blockhash call callcode coinbase data delegatecall difficulty
        ecrecover encode encodePacked encodeWithSelector encodeWithSignature gas gasleft gaslimit
        gasprice keccak256 length msg now number origin pop push require revert selfdestruct send
        sender sha256 sha3 sig staticcall suicide super this throw timestamp transfer tx value
        """,
    )
)
"""Names of the language Solidity, which are kept."""

C_DIALECT = frozenset(
    re.findall(
        r"\w+",
        """
        address bool break byte case char const constructor continue default do double else enum
        extern false float for goto if int long mapping return short signed sizeof static string
        struct switch true typedef union unsigned void while
        """,
    )
)
"""Keywords and types of C dialects for contracts, which are kept."""

_TYPE = re.compile(r"u?int\d*(_t)?|bytes\d+")
_LEXEME = re.compile(
    r"(?P<dropped>/\*.*?(?:\*/|\Z)|//[^\n]*|^[ \t]*\#[^\n]*"
    r"|\"(?:\\.|[^\"\\\n])*\"?|'(?:\\.|[^'\\\n])*'?|\d[\w.]*)"
    r"|(?P<name>[^\W\d]\w*)"
    r"|(?P<other>\+\+|--|->|<<=?|>>=?|&&|\|\||[-+*/%=!<>&|^]=|\S)",
    re.DOTALL | re.MULTILINE,
)
_DROPPED = ("comment", "string", "string_literal", "number_literal", "hex_string_literal")
_NAMES = ("identifier", "enum_value", "yul_identifier")
_NOTHING, _MASKED = "DROPPED_", "MASKED_"


def normalized(source: str, language: str, masked: bool = False) -> list[str]:
    r"""Return the tokens of source code.

    Args:
        source: the source code.
        language: `python`, `solidity` or `c`.
        masked: whether what decides the classes of `code-patterns` is masked; Python only.

    Raises:
        ValueError: it cannot be parsed.
        ImportError: the parser of Solidity is not installed.

    Examples:
        >>> " ".join(normalized("def add(a, b=2):  # sum\n    return a + b", "python"))
        'def FUN1 ( VAR1 , VAR2 = ) : <line> <indent> return VAR1 + VAR2 <line> <dedent>'
        >>> " ".join(normalized("uint32 f(uint32 x){ return f(x); }", "c"))
        'uint32 FUN1 ( uint32 VAR1 ) { return FUN1 ( VAR1 ) ; }'
    """
    if language == "python":
        return _python(source, masked)
    return _renamed(_solidity(source) if language == "solidity" else _c_dialect(source))


def language_of(source: str) -> str:
    """Return `c` for source code with C's preprocessor directives, otherwise `solidity`.

    Examples:
        >>> language_of('#include "vntlib.h"'), language_of("contract A {}")
        ('c', 'solidity')
    """
    return "c" if re.search(r"^[ \t]*#[ \t]*[a-z]", source, re.MULTILINE) else "solidity"


def _renamed(tokens: list[tuple[str, bool]]) -> list[str]:
    """Rename functions and other names.

    Args:
        tokens: texts, and whether each is a name that may be renamed.
    """
    pairs = pairwise([*tokens, ("", False)])
    functions = {text for (text, is_name), (after, _) in pairs if is_name and after == "("}
    numbers: dict[str, dict[str, int]] = {"FUN": {}, "VAR": {}}
    result = []
    for text, is_name in tokens:
        if not is_name:
            result.append(text)
            continue
        kind = "FUN" if text in functions else "VAR"
        number = numbers[kind].setdefault(text, len(numbers[kind]) + 1)
        result.append(f"{kind}{min(number, MOST_NAMES)}")
    return result


def _solidity(source: str) -> list[tuple[str, bool]]:
    root = _solidity_parser().parse(source.encode("utf-8", "replace")).root_node
    if root.has_error:
        raise ValueError("it is not Solidity")
    tokens, open_nodes = [], [root]
    while open_nodes:
        node = open_nodes.pop()
        if node.is_named and node.type in _DROPPED:
            continue
        if node.child_count:
            open_nodes.extend(reversed(node.children))
        elif (text := node.text.decode().strip()) and not text[0].isdigit():
            tokens.append((text, node.type in _NAMES and text not in SOLIDITY))
    return tokens


@cache
def _solidity_parser():  # type: ignore[no-untyped-def]
    import tree_sitter
    import tree_sitter_solidity

    with warnings.catch_warnings():  # the grammar gives its address in an older form
        warnings.simplefilter("ignore", DeprecationWarning)
        return tree_sitter.Parser(tree_sitter.Language(tree_sitter_solidity.language()))


def _c_dialect(source: str) -> list[tuple[str, bool]]:
    tokens = []
    for match in _LEXEME.finditer(source):
        text = match.group()
        if match.lastgroup != "dropped":
            kept = text in C_DIALECT or text in SOLIDITY or _TYPE.fullmatch(text)
            tokens.append((text, match.lastgroup == "name" and not kept))
    return tokens


def _python(source: str, masked: bool) -> list[str]:
    try:
        tree = ast.parse(source)
        changed = ast.unparse(_Python(tree, masked).visit(tree))
        tokens = list(tokenize.generate_tokens(io.StringIO(changed).readline))
    except (SyntaxError, ValueError, RecursionError, tokenize.TokenError) as error:
        raise ValueError(f"it is not Python ({type(error).__name__})") from error
    words = {
        tokenize.NEWLINE: "<line>",
        tokenize.INDENT: "<indent>",
        tokenize.DEDENT: "<dedent>",
    }
    texts = [words.get(token.type, token.string) for token in tokens]
    hidden = (_MASKED, "assert", "raise") if masked else ()
    return [MASK if text in hidden else text for text in texts if text not in ("", "\n", _NOTHING)]


class _Python(ast.NodeTransformer):
    """Renames names of Python, and drops strings and numbers."""

    def __init__(self, tree: ast.AST, masked: bool) -> None:
        self._masked = masked
        self._numbers: dict[str, dict[str, int]] = {"FUN": {}, "VAR": {}}
        defined = ast.FunctionDef | ast.AsyncFunctionDef
        nodes = list(ast.walk(tree))
        self._functions = {node.name for node in nodes if isinstance(node, defined)}
        for node in nodes:
            if isinstance(node, ast.Call):
                called = node.func
                self._functions.add(getattr(called, "id", getattr(called, "attr", "")))

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Rename every name of a node, then visit its children in order."""
        for field in ("name", "id", "attr", "arg", "asname", "module", "names", "rest"):
            value = getattr(node, field, None)
            if isinstance(value, str):
                setattr(node, field, self._name(value))
            elif isinstance(value, list) and all(isinstance(item, str) for item in value):
                setattr(node, field, [self._name(item) for item in value])
        return super().generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        """Keep `None`, booleans and the ellipsis; drop strings and numbers."""
        kept = node.value is None or node.value is ... or isinstance(node.value, bool)
        return node if kept else ast.Name(_NOTHING)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        """Keep the expressions in a formatted string."""
        values = [item.value for item in node.values if isinstance(item, ast.FormattedValue)]
        return ast.Tuple([self.visit(value) for value in values], ast.Load())

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        """Mask the type of exceptions."""
        if self._masked:
            node.type = ast.Name(_MASKED)
        return self.generic_visit(node)

    def visit_arguments(self, node: ast.arguments) -> ast.AST:
        """Mask default values."""
        if self._masked:
            node.defaults = [ast.Name(_MASKED) for _ in node.defaults]
            node.kw_defaults = [item and ast.Name(_MASKED) for item in node.kw_defaults]
        return self.generic_visit(node)

    def _name(self, name: str) -> str:
        if name in (_NOTHING, _MASKED) or (hasattr(builtins, name) and name not in PYTHON_DECIDING):
            return name
        kind = "FUN" if name in self._functions else "VAR"
        number = self._numbers[kind].setdefault(name, len(self._numbers[kind]) + 1)
        return f"{kind}{min(number, MOST_NAMES)}"
