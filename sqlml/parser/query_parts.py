"""The clause of a query that each token stands in, for all tokens in one pass: a look back from each call would take
the square of the text's length."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import Token, TokenType

from sqlml.parser.call_tokens import CLOSING, OPENING, is_quoted

# The words that begin the part of a query a call stands in. In the second kind Spark expands no star.
STARS_EXPAND = frozenset({"SELECT", "WHERE", "FROM", "EXTEND", "SET", "VALUES", "QUALIFY", "AGGREGATE"})
STARS_STAY = frozenset({"ORDER", "GROUP", "HAVING", "SORT", "CLUSTER", "DISTRIBUTE", "PARTITION", "ON"})
_BEGIN_PARTS = STARS_EXPAND | STARS_STAY
# The words that end a FROM clause.
_END_FROM = frozenset(
    {"SELECT", "WHERE", "GROUP", "HAVING", "ORDER", "SORT", "CLUSTER", "DISTRIBUTE", "WINDOW", "QUALIFY", "LIMIT"}
)
_WORDS = _BEGIN_PARTS | _END_FROM | {"DISTINCT"}
_LONGEST = len("DISTRIBUTE BY")


class QueryParts:
    """Where each token of a text stands."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._words: list[int] = []
        self._in_from: list[bool] = []
        self._grouped: set[int] = set()
        self._read()

    def in_from(self, at: int) -> bool:
        """Whether a token, such as a comma, stands in a FROM clause at the level of its own parentheses."""
        return self._in_from[at]

    def stars_stay(self, at: int) -> bool:
        """Whether a token stands in a part of its query where Spark expands no star; inside parentheses without such a
        word, that is the part around them."""
        word = self._words[at]
        return word >= 0 and (first_word(self._tokens[word]) in STARS_STAY or word in self._grouped)

    def _read(self) -> None:
        """Per level of parentheses: the last word that begins a part, whether it is in FROM, the last SELECT, and
        whether numbers there are those of columns, as in GROUP BY 1 and GROUPING SETS ((1), (1, 2))."""
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
                # A number in an expression, `GROUP BY a + 1`, has something else before it.
                before = self._tokens[at - 1].token_type
                if numbers and select >= 0 and before in (TokenType.GROUP_BY, TokenType.COMMA, TokenType.L_PAREN):
                    self._grouped.add(select)
            elif said := first_word(token):
                if said in ("SELECT", "AGGREGATE"):
                    select = at
                if said in _BEGIN_PARTS:
                    numbers = said == "GROUP"
                    if not self._is_filter(at):
                        word = at
                if said in _END_FROM:
                    in_from = False
                elif said == "FROM":
                    # `a IS DISTINCT FROM b` compares.
                    in_from = in_from if at and first_word(self._tokens[at - 1]) == "DISTINCT" else True

    def _is_filter(self, at: int) -> bool:
        """`count(*) FILTER (WHERE …)`, which is a part of an expression."""
        tokens = self._tokens
        return at > 1 and tokens[at].token_type == TokenType.WHERE and tokens[at - 2].token_type == TokenType.FILTER


def first_word(token: Token) -> str:
    """A token's word in upper case where it is one of those above, its first one where `ORDER BY` is one token; else
    "", as for a quoted name or text."""
    text = token.text
    if len(text) > _LONGEST:
        return ""
    word = text.upper().partition(" ")[0] if " " in text else text.upper()
    return word if word in _WORDS and not is_quoted(token) else ""
