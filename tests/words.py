"""Words that practitioners would have to translate, and their positions in the project."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
ROOMS = ("diswot", "search_spaces", "benchmarks", "examples", "tests")
PAGES = ("README.md", "CHANGELOG.md")
OWN = {"tests/words.py", "tests/test_words.py"}
"""The files that name the words themselves."""

AVOIDED = (
    # British spelling
    r"(?:optim|normal|initial|regular|standard|quant|serial|recogn|visual|minim|maxim|general|local"
    r"|summar|random|special|priorit|organ|custom|final|util|parallel)is(?:e[ds]?|ers?|ing|ations?)",
    r"(?<!auto_)distil(?:s|ed|ing)?|(?:un)?colour(?:s|ed|ing)?|behaviours?|favours?",
    r"cent(?:re|res|red)|neighbours?|neighbouring|(?:label|model)l(?:ed|ing)|artefacts?",
    r"cancell(?:ed(?!_error)|ing)|catalogues?|licences?|grey(?:s|scale)?|judgements?|ageing",
    # reports, messages and options
    r"told|(?<!\.)tells?|telling|news|(?:is|are|was) said",
    # training and its state
    r"taught|teachings?|lessons?|remember(?:s|ed|ing)?|standings?|learns? from|in a line",
    r"disturbances?|cut gradients?",
    # runs
    r"go(?:es|ing)? on|gone on|went on|begun|anew|taken up again",
    # results and data
    r"judge[sd]?|chosen on|plain choices?|best scored|rightly|right answers?",
    r"mend(?:s|ed|ing)?|likeness(?:es)?|explorations?|ledgers?|readings|pictures?",
    r"shown(?=\.\w|\(|\[| = )",
    # prose
    r"besides?|likewise|but for|for want of|whence|thereof|wherein|hence|nought|lest|amongst",
    r"towards a teacher|whom to learn|of good ones|dies",
    r"(?<!there )(?:is|are) no (?!(?:longer|more|less|better|worse|one)\b)[a-z]+",
    r"answered with|met with|for ever|goes before|whatever becomes|so is that of|gone through",
    r"leads? nowhere|lets? nothing|knows? nothing|keeps? (?:its|their|the) contract",
)

_WORD = re.compile(
    "|".join(f"(?<![A-Za-z])(?:{each.replace(' ', '[ _-]')})(?![A-Za-z])" for each in AVOIDED),
    re.IGNORECASE,
)
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


class Found(NamedTuple):
    """A word, the file it is in, and its line."""

    word: str
    path: str
    line: int


def words_in(text: str) -> Iterator[tuple[str, int]]:
    """Yield the avoided words of a text, in lower case, with the numbers of their lines.

    Names are split where they have underscores or capitals, and phrases may be split by a line
    break.
    """
    joined = re.sub(r"\n[ \t]*(?:#:? ?|> ?)?", "\n", _HUMP.sub("_", text))
    spaced = joined.replace("\n", " ")
    for match in _WORD.finditer(spaced):
        word = re.sub(r"[ _-]", " ", match.group().lower())
        yield word, joined.count("\n", 0, match.start()) + 1


def files() -> list[Path]:
    """Return all pages and source files of the project."""
    pages = [ROOT / name for name in PAGES] + sorted((ROOT / "docs").rglob("*.md"))
    return pages + [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


def found() -> list[Found]:
    """Return every avoided word of the project."""
    paths = ((path, path.relative_to(ROOT).as_posix()) for path in files())
    return [
        Found(word, name, line)
        for path, name in paths
        if name not in OWN
        for word, line in words_in(path.read_text(encoding="utf-8"))
    ]
