"""Format numbers with units, separated by no-break spaces."""

import math
from collections.abc import Sequence

from diswot.plots import unit_of
from diswot.tasks import Measure

HUGE = 1e300
"""Limit above which a number in a run folder counts as damaged."""

SPACE = "\N{NO-BREAK SPACE}"


def percent(rate: float) -> str:
    r"""Format a fraction as a percentage.

    Examples:
        >>> percent(0.9561)
        '95.6\xa0%'
    """
    return f"{100 * rate:.1f}{SPACE}%"


def value(measure: Measure) -> str:
    r"""Format the value of a measure with its unit.

    Examples:
        >>> value(Measure("accuracy", 0.9561, 0.9, 1, 100, unit="%"))
        '95.6\xa0%'
    """
    return measure.brief.replace(" ", SPACE)


def interval(measure: Measure) -> str:
    """Format the interval of a measure, in its unit.

    Examples:
        >>> interval(Measure("NME", 0.04, 0.035, 0.05, 100, higher_is_better=False))
        '[0.035, 0.05]'
    """
    return f"[{str(measure).partition('[')[2]}"


def milliseconds(number: float) -> str:
    r"""Format a time in milliseconds.

    Examples:
        >>> milliseconds(0.924)
        '0.924\xa0ms'
    """
    return f"{number:.3g}{SPACE}ms"


def size(number: float) -> str:
    r"""Format a number of bytes.

    Examples:
        >>> size(429), size(82_944), size(3_145_728)
        ('429\xa0B', '82.9\xa0kB', '3.15\xa0MB')
    """
    unit, bytes_of_it = unit_of(number)
    return f"{number / bytes_of_it:.3g}{SPACE}{unit}B"


def listed(words: Sequence[str]) -> str:
    """Join words as in a sentence.

    Examples:
        >>> listed(["score", "parameters", "latency"]), listed(["score"])
        ('score, parameters and latency', 'score')
    """
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def seconds(number: float) -> str:
    r"""Format a time in seconds, minutes or hours.

    Examples:
        >>> seconds(0.51), seconds(200)
        ('0.51\xa0s', '3\xa0min 20\xa0s')
    """
    if number < 100:
        return f"{number:.2g}{SPACE}s" if number < 10 else f"{number:.0f}{SPACE}s"
    minutes, rest = divmod(round(number), 60)
    hours, minutes = divmod(minutes, 60)
    parts = (f"{hours} h", f"{minutes} min") if hours else (f"{minutes} min", f"{rest} s")
    return " ".join(part.replace(" ", SPACE) for part in parts)


def signed(number: float) -> str:
    """Format a score with four decimal places and a true minus sign.

    Examples:
        >>> signed(-0.96758)
        '−0.9676'
    """
    small = number != 0 and not 1e-3 <= abs(number) < 1e5
    written = f"{number:.3e}" if small and math.isfinite(number) else f"{number:.4f}"
    return written.replace("-", "−")
