"""The first words of a text, by which statements of ours are recognized.

In the JVM org.sqlml.parser.LeadingKeywords does the same.
"""

from __future__ import annotations

import re

_BLANK = re.compile(r"(?:\s+|--[^\n]*)+")
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_LEADING_WORD = re.compile(r"[^\W\d]\w*")


def first_words(text: str, count: int) -> tuple[str, ...]:
    """Returns up to `count` first words of a text in upper case, skipping comments; stops at anything that is no
    word."""
    words: list[str] = []
    at = 0
    while len(words) < count:
        at = _skip_blank(text, at)
        word = _LEADING_WORD.match(text, at)
        if not word:
            break
        words.append(word.group().upper())
        at = word.end()
    return tuple(words)


def after_first_word(text: str) -> int:
    """Returns the offset after the first word and the blanks and comments that follow it."""
    word = _LEADING_WORD.match(text, _skip_blank(text, 0))
    return _skip_blank(text, word.end()) if word else 0


def _skip_blank(text: str, at: int) -> int:
    """Returns the offset after white space and comments; bracketed comments nest, as in Spark."""
    while True:
        if blank := _BLANK.match(text, at):
            at = blank.end()
        if not text.startswith("/*", at):
            return at
        depth = 0
        for edge in _COMMENT_EDGE.finditer(text, at):
            depth += 1 if edge.group() == "/*" else -1
            at = edge.end()
            if depth == 0:
                break
        else:
            return len(text)
