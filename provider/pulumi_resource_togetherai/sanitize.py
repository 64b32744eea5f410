"""Makes text from elsewhere safe to show. All such text passes through here before it reaches a terminal or a page.

A server's text may hold escape sequences that repaint the terminal or characters that reverse the text after them, and
it may be a megabyte long. The stack's outputs keep it as it came; terminals and pages show what this module returns.
"""

from __future__ import annotations

import unicodedata

__all__ = [
    "quoted",
    "sanitize",
    "sanitize_lines",
]

QUOTED = 300
"""How many characters of one text from the API are shown."""
CUT_OFF = " ... (cut off)"
"""What follows a text that was cut off."""
MESSAGE = 6000
"""How many characters a whole message may have: several quoted texts and the provider's own words around them."""
BREAK = "\n  "
"""What divides the lines of a message."""
_CONTROLS = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
"""Unicode categories that show nothing, or change how other text shows: controls, formats such as bidirectional
overrides, private characters, lone surrogates, separators of lines and paragraphs."""


def sanitize(text: str, most: int = MESSAGE) -> str:
    """The text with every control character written out (`\\x1b`, `\\u202e`), and cut off after `most` characters."""
    shown = text if text.isascii() and text.isprintable() else "".join(map(_visible, text[: most + 1]))
    return shown if len(shown) <= most else shown[:most] + CUT_OFF


def sanitize_lines(text: str) -> str:
    """A message that may have more than one line. Those after the first are indented, so that no text from elsewhere
    can pass for a message of its own."""
    return BREAK.join(map(sanitize, text.split(BREAK)))


def quoted(text: str) -> str:
    """One text from the API as part of a message."""
    return sanitize(text.strip(), QUOTED)


def _visible(character: str) -> str:
    if unicodedata.category(character) in _CONTROLS:
        return character.encode("unicode_escape").decode("ascii")
    return character
