"""Finds our statements inside Spark's SQL scripts, `BEGIN … END`.

Spark's parser reads a script as a whole, so each of our statements is replaced by a call of a procedure that cannot
exist, which becomes the statement again when the script is parsed:

    BEGIN DECLARE n INT DEFAULT 100; TRAIN MODEL m … WHERE id < n; END
    BEGIN DECLARE n INT DEFAULT 100; CALL `sqlml statement`(0); END

The condition of a handler has to be Spark's own or declared in the script, so a declaration is added for each of our
conditions that a handler names.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlglot import Token, TokenType

from sqlml.errors import CONDITIONS, ParseError
from sqlml.parser.leading_words import first_words
from sqlml.parser.rewriter import Edit
from sqlml.parser.tokens import is_word, tokenize

_BEFORE_STATEMENT = {"BEGIN", "THEN", "ELSE", "DO", "LOOP", "REPEAT"}
_ENDS_NO_BLOCK = {"IF", "WHILE", "CASE", "FOR", "LOOP", "REPEAT"}


@dataclass(frozen=True)
class Script:
    """The ranges of our statements in a script, and the declarations that its handlers need."""

    statements: tuple[tuple[int, int], ...] = ()
    declarations: tuple[Edit, ...] = ()


def read(text: str, heads: Collection[tuple[str, ...]]) -> Script:
    """Finds our statements; returns an empty Script where the text is no script.

    Args:
        heads: the first words of each of our statements.
    """
    if first_words(text, 1) != ("BEGIN",):
        return Script()
    try:
        tokens = tokenize(text)
    except ParseError:
        return Script()  # Spark's own error message is better.
    return _Reader(tokens, text, heads).read()


def call(number: int) -> str:
    """Returns the placeholder for a statement of ours; org.sqlml.parser.ScriptStatements recognizes it."""
    return f"CALL `sqlml statement`({number})"


class _Reader:
    """One pass over a script's tokens that tracks statements, blocks and handlers."""

    def __init__(self, tokens: Sequence[Token], text: str, heads: Collection[tuple[str, ...]]) -> None:
        self._tokens, self._text, self._heads = tokens, text, heads
        self._longest_head = max(map(len, heads))
        self._blocks: list[int] = []
        self._declared: set[tuple[int, str]] = set()
        self._needed: dict[tuple[int, str], None] = {}

    def read(self) -> Script:
        """Walks the tokens; at the start of each statement it notes blocks and handlers, or skips a statement of
        ours."""
        statements = []
        at = 0
        while at < len(self._tokens):
            if not self._begins_statement(at):
                at += 1
                continue
            if self._word(at + 1) == ":":
                at += 2  # a label
            word = self._word(at)
            if word == "BEGIN":
                self._blocks.append(at)
            elif word == "END" and self._word(at + 1) not in _ENDS_NO_BLOCK and self._blocks:
                self._blocks.pop()
            # A handler's own statement may be ours, or a block.
            handled = self._declared_handler(at) if word == "DECLARE" else at
            if self._word(handled) == "BEGIN" and handled > at:
                self._blocks.append(handled)
            if self._is_ours(handled):
                stop = self._semicolon(handled)
                statements.append((self._tokens[handled].start, self._tokens[stop - 1].end + 1))
                at = stop
            else:
                at = max(handled, at) + 1
        needed = [one for one in self._needed if one not in self._declared]
        return Script(tuple(statements), tuple(map(self._declaration, needed)))

    def _begins_statement(self, at: int) -> bool:
        if at == 0:
            return True
        before = self._tokens[at - 1]
        if before.token_type == TokenType.SEMICOLON:
            return True
        return is_word(before, self._text) and before.text.upper() in _BEFORE_STATEMENT

    def _declared_handler(self, at: int) -> int:
        """Returns the index of the statement in `DECLARE EXIT HANDLER FOR a, b statement`; `at` for other statements.

        Also notes the conditions of ours that the handler names, and the conditions that the script itself declares.
        """
        if self._word(at + 2) == "CONDITION" and self._blocks:
            self._declared.add((self._blocks[-1], self._word(at + 1)))
        if self._word(at + 2) != "HANDLER" or self._word(at + 3) != "FOR":
            return at
        here = at + 4
        while here < len(self._tokens):
            word = self._word(here)
            if word == "SQLSTATE":
                here += 2 if self._word(here + 1) != "VALUE" else 3
            elif word == "NOT":
                here += 2
            else:
                if word in CONDITIONS and self._blocks:
                    self._needed[self._blocks[-1], word] = None
                here += 1
            if self._word(here) != ",":
                break
            here += 1
        return here

    def _declaration(self, needed: tuple[int, str]) -> Edit:
        block, condition = needed
        offset = self._tokens[block].end + 1
        return Edit(offset, offset, f" DECLARE {condition} CONDITION FOR SQLSTATE '{CONDITIONS[condition]}';")

    def _is_ours(self, at: int) -> bool:
        # A token such as `ORDER BY` has two words.
        ahead = self._tokens[at : at + self._longest_head]
        words = tuple(" ".join(token.text.upper() if is_word(token, self._text) else "." for token in ahead).split())
        head = next((head for head in self._heads if words[: len(head)] == head), None)
        # Only DECLARE @… is ours.
        return head is not None and (head != ("DECLARE",) or self._word(at + 1) == "@")

    def _semicolon(self, at: int) -> int:
        """Returns the index of the semicolon that ends a statement, or the number of tokens."""
        while at < len(self._tokens) and self._tokens[at].token_type != TokenType.SEMICOLON:
            at += 1
        return at

    def _word(self, at: int) -> str:
        """Returns a bare word in upper case, or a symbol; "" for a quoted text or name, and after the last token."""
        if at >= len(self._tokens):
            return ""
        token = self._tokens[at]
        quoted = token.token_type in (TokenType.STRING, TokenType.RAW_STRING, TokenType.IDENTIFIER)
        return "" if quoted else token.text.upper()
