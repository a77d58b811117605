"""Pages, docstrings, messages, names and comments use standard terms."""

from collections import Counter

import pytest

from tests.words import found, words_in

MOST = 32

ALLOWED = {
    # names of earlier versions, which still work or are still read
    "diswot/cli/_main.py": {"optimiser": 1, "pictures": 2},
    "diswot/options/_keywords.py": {"optimiser": 1, "pictures": 1},
    "diswot/search/_result.py": {"plain choices": 3},
    "diswot/search/engines/_engine.py": {"regularised": 2},
    "diswot/tasks/images/_labeled_images.py": {"normalise": 1},
    "diswot/teachers/_teacher.py": {"initialised": 1},
    "diswot/training/_manifest.py": {"told": 1},
    "diswot/latency/_predicted.py": {"disturbance": 1},
    # what seeds the choice of baselines
    "diswot/search/_run.py": {"plain choices": 1},
    # names of folders and columns that data sets have
    "diswot/tasks/_split_names.py": {"pictures": 1},
    "diswot/tasks/images/_items.py": {"picture": 1},
    # tests of all these
    "tests/cli/test_resumed_trainings.py": {"told": 1},
    "tests/latency/test_predicted.py": {"disturbance": 1},
    "tests/options/test_keywords.py": {"optimiser": 4},
    "tests/search/test_baselines.py": {"plain choices": 2},
    "tests/search/test_engines.py": {"regularised": 1},
    "tests/test_released_names.py": {"initialised": 1, "normalise": 1},
    # names that changed, in the list of changes
    "CHANGELOG.md": {"initialised": 1, "normalise": 1, "optimiser": 1, "regularised": 1},
}
"""Words that must stay, by file."""


def test_few_avoided_words_are_left() -> None:
    expected = Counter({(path, w): n for path, own in ALLOWED.items() for w, n in own.items()})
    all_found = found()
    counts = Counter((each.path, each.word) for each in all_found)
    assert not expected - counts, "take these off the list"
    unlisted = [each for each in all_found if (each.path, each.word) in counts - expected]
    assert counts.total() <= MOST, f"write these in the field's words: {unlisted}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("it is told", ["told"]),
        ("def test_mistakes_are_told() -> None:", ["told"]),
        ("class LessonSettings:", ["lesson"]),
        ("the search goes\n    on", ["goes on"]),
        ("# the search goes\n# on", ["goes on"]),
        ("plain_choices, best-scored", ["plain choices", "best scored"]),
        ("an Optimiser", ["optimiser"]),
        ("GREY = 0", ["grey"]),
        ("shown.features", ["shown"]),
        ("a report is shown", []),
        ("a file that is no image", ["is no image"]),
        ("there is no image, and it is no longer read", []),
        ("def test_a_typo_is_answered_with_the_nearest() -> None:", ["answered with"]),
        ("position = file.tell()", []),
        ("except CancelledError:", []),
        ("AutoDistil distills", []),
        ("standardized, colored, bestow", []),
    ],
)
def test_avoided_words_are_found_in_names_and_across_lines(text: str, words: list[str]) -> None:
    assert [word for word, _ in words_in(text)] == words


def test_avoided_words_have_their_line_numbers() -> None:
    assert list(words_in("one\n\n  two told\nanew")) == [("told", 3), ("anew", 4)]
