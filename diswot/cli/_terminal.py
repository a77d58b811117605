"""Terminal output without control characters, in an encoding that the terminal has.

Everything that commands print goes through `say`, `printable` or a table. Control characters
(of file names, class names, messages of other libraries) are escaped, and signs that the
terminal's encoding lacks are written with those it has.
"""

import codecs
import sys
import unicodedata
from typing import TextIO

import click

from diswot.printable import printable

_PLAIN = str.maketrans(
    {
        **dict.fromkeys("–—−─━‒", "-"),
        "×": "x",
        "·": ".",
        "•": "*",
        "…": "...",
        "±": "+/-",
        "→": "->",
        "≤": "<=",
        "≥": ">=",
        "†": "+",
        "‡": "++",
        "’": "'",
        "‘": "'",
        "“": '"',
        "”": '"',
        "│": "|",
        "²": "^2",
        "α": "alpha",
        "β": "beta",
        "ε": "eps",
        "λ": "lambda",
        "μ": "mu",
        "µ": "u",
        "ρ": "rho",
        "σ": "sigma",
        "τ": "tau",
        "√": "sqrt",
        "∞": "inf",
        "≈": "~",
        "∈": "in",
        "ø": "o",
        "Ø": "O",
        "ł": "l",
        "ß": "ss",
        "æ": "ae",
        "Æ": "AE",
    }
)
"""ASCII replacements of characters that the library prints."""


def say(text: str, *, err: bool = False) -> None:
    """Print one or more lines."""
    click.echo(printable(text), file=sys.stderr if err else sys.stdout)


def written(text: str) -> str:
    """Return `text` on one line, with characters that standard output can encode."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return printable(text, keep="").encode(encoding, errors=_HANDLER).decode(encoding)


def _plain(char: str) -> str:
    """Return ASCII for a character: from the table, without its accent, or a question mark."""
    result = char.translate(_PLAIN)
    if not result.isascii():
        result = unicodedata.normalize("NFKD", result).encode("ascii", "ignore").decode()
    return result or "?"


_HANDLER = "diswot.plain"
_ASCII = "diswot-ascii"
"""An alias of ASCII, because click treats a stream in `ascii` as misconfigured and uses UTF-8."""


def _replace(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_plain, error.object[error.start : error.end])), error.end


def _find_codec(name: str) -> codecs.CodecInfo | None:
    if name not in (_ASCII, _ASCII.replace("-", "_")):
        return None
    ascii_ = codecs.lookup("ascii")
    return codecs.CodecInfo(
        ascii_.encode,
        ascii_.decode,
        streamreader=ascii_.streamreader,
        streamwriter=ascii_.streamwriter,
        incrementalencoder=ascii_.incrementalencoder,
        incrementaldecoder=ascii_.incrementaldecoder,
        name=_ASCII,
    )


codecs.register_error(_HANDLER, _replace)
codecs.register(_find_codec)


def make_readable(stream: TextIO) -> None:
    """Reconfigure a stream to replace characters that its encoding lacks."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is None:
        return
    ascii_ = codecs.lookup(stream.encoding).name == "ascii"
    reconfigure(encoding=_ASCII if ascii_ else None, errors=_HANDLER)
