"""Finds the clause of a query that each token is in, in one pass over all tokens.

Looking back from each call instead would take quadratic time.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import Token, TokenType

from sqlml.parser.call_tokens import CLOSING, OPENING, is_quoted

# The words that begin a clause. In clauses of the second kind Spark expands no star.
STARS_EXPAND = frozenset({"SELECT", "WHERE", "FROM", "EXTEND", "VALUES", "QUALIFY", "AGGREGATE"})
STARS_STAY = frozenset({"ORDER", "GROUP", "HAVING", "SORT", "CLUSTER", "DISTRIBUTE", "PARTITION", "ON", "SET"})
# Statements that change rows: their own WHERE, before any SELECT, expands no star either.
_CHANGES = frozenset({"DELETE", "UPDATE"})
_BEGIN_PARTS = STARS_EXPAND | STARS_STAY
# The words that end a FROM clause.
_END_FROM = frozenset(
    {"SELECT", "WHERE", "GROUP", "HAVING", "ORDER", "SORT", "CLUSTER", "DISTRIBUTE", "WINDOW", "QUALIFY", "LIMIT"}
)
_WORDS = _BEGIN_PARTS | _END_FROM | {"DISTINCT"}
_LONGEST = len("DISTRIBUTE BY")


class QueryParts:
    """The clause of each token of a text."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._words: list[int] = []
        self._in_from: list[bool] = []
        self._without_stars: set[int] = set()
        self._read()

    def in_from(self, at: int) -> bool:
        """Returns whether a token, such as a comma, is in a FROM clause at the level of its own parentheses."""
        return self._in_from[at]

    def stars_stay(self, at: int) -> bool:
        """Returns whether a token is in a clause in which Spark expands no star.

        Inside parentheses without a clause of their own the clause around them counts.
        """
        word = self._words[at]
        return word >= 0 and (first_word(self._tokens[word]) in STARS_STAY or word in self._without_stars)

    def _read(self) -> None:
        """Notes for each token the last word that began a clause, and whether it is in FROM.

        A stack holds the state of each level of parentheses: these two, the last SELECT, and whether numbers are column
        ordinals, as in GROUP BY 1 and GROUPING SETS ((1), (1, 2)).
        """
        levels: list[tuple[int, bool, int, bool]] = []
        word, in_from, select, numbers = -1, False, -1, False
        for at, token in enumerate(self._tokens):
            self._words.append(word)
            self._in_from.append(in_from)
            kind = token.token_type
            if kind in OPENING:
                levels.append((word, in_from, select, numbers))
                in_from, numbers = False, numbers and kind == TokenType.L_PAREN
            elif kind in CLOSING:
                if levels:
                    word, in_from, select, numbers = levels.pop()
            elif kind == TokenType.NUMBER:
                # The number in an expression, as in `GROUP BY a + 1`, has another token before it and is no ordinal.
                before = self._tokens[at - 1].token_type
                if numbers and select >= 0 and before in (TokenType.GROUP_BY, TokenType.COMMA, TokenType.L_PAREN):
                    self._without_stars.add(select)
            elif keyword := first_word(token):
                if keyword in ("SELECT", "AGGREGATE"):
                    select = at
                if keyword in _BEGIN_PARTS:
                    numbers = keyword == "GROUP"
                    if not self._is_filter(at):
                        word = at
                    if keyword == "WHERE" and not levels and select < 0 and self._changes_rows():
                        self._without_stars.add(at)
                if keyword in _END_FROM:
                    in_from = False
                elif keyword == "FROM":
                    # `a IS DISTINCT FROM b` compares.
                    in_from = in_from if at and first_word(self._tokens[at - 1]) == "DISTINCT" else True

    def _changes_rows(self) -> bool:
        """Returns whether the statement is UPDATE or DELETE, explained or not."""
        return any(token.text.upper() in _CHANGES and not is_quoted(token) for token in self._tokens[:3])

    def _is_filter(self, at: int) -> bool:
        """Returns whether this WHERE is that of `count(*) FILTER (WHERE …)`, part of an expression."""
        tokens = self._tokens
        return at > 1 and tokens[at].token_type == TokenType.WHERE and tokens[at - 2].token_type == TokenType.FILTER


def first_word(token: Token) -> str:
    """Returns the (first) word of a token in upper case where it is one of those above; else ""."""
    text = token.text
    if len(text) > _LONGEST:
        return ""
    word = text.upper().partition(" ")[0] if " " in text else text.upper()
    return word if word in _WORDS and not is_quoted(token) else ""
