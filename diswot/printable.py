"""Text that is safe to print: control characters are escaped."""

import unicodedata

_HARMLESS = "\u200c\u200d"
"""Zero-width joiners, which some scripts and emoji need."""


def printable(text: str, *, keep: str = "\n\t") -> str:
    r"""Escape control characters and bidirectional marks, which change what a terminal shows.

    Args:
        text: any text, for example a file name or a message of another library.
        keep: control characters that stay as they are.

    Examples:
        >>> printable("\x1b[2J\u202ename")
        '\\x1b[2J\\u202ename'
    """
    return "".join(_escaped(char) if _is_control(char, keep) else char for char in text)


def _is_control(char: str, keep: str) -> bool:
    if char in keep or char in _HARMLESS:
        return False
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")


def _escaped(char: str) -> str:
    number = ord(char)
    if 0xDC80 <= number <= 0xDCFF:  # a byte of a file name that is not valid UTF-8
        number -= 0xDC00
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"
