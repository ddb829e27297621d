"""Helpers for the tokens of a function call: matching parentheses, arguments, nesting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import overload

from sqlglot import Token, TokenType

from sqlml.errors import ParseError
from sqlml.parser.generator import quote_string
from sqlml.parser.references import model_name
from sqlml.parser.rewriter import MOST_NESTED, Placed, too_deep
from sqlml.parser.tokens import is_word

OPENING = {TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE}
CLOSING = {TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE}
# The alias of the struct of all outputs until it is expanded; a name that no user's column has by chance.
HELD = "`sqlml outputs`"


def closings(tokens: Sequence[Token]) -> dict[int, int]:
    """Returns for each opening bracket the index of the one that closes it; the last index if it is never closed."""
    found: dict[int, int] = {}
    opened: list[int] = []
    for at, token in enumerate(tokens):
        if token.token_type in OPENING:
            opened.append(at)
        elif token.token_type in CLOSING and opened:
            found[opened.pop()] = at
    return found | dict.fromkeys(opened, len(tokens) - 1)


def arguments(tokens: Sequence[Token], opening: int, closing: int, types: bool = False) -> list[list[Token]]:
    """Returns the tokens between two parentheses, split at the commas of that level.

    Args:
        types: whether < and > nest too.
    """
    found: list[list[Token]] = [[]]
    depth = 0
    for token in tokens[opening + 1 : closing]:
        kind = token.token_type
        if kind in OPENING:
            depth += 1
        elif kind in CLOSING:
            depth -= 1
        elif types and ("<" in token.text or ">" in token.text) and not is_quoted(token):
            depth += token.text.count("<") - token.text.count(">")
        if kind == TokenType.COMMA and depth == 0:
            found.append([])
        else:
            found[-1].append(token)
    return found if found != [[]] else []


class Span(Sequence[Token]):
    """A view of consecutive tokens; slicing it copies nothing."""

    __slots__ = ("start", "stop", "tokens")

    def __init__(self, tokens: Sequence[Token], start: int, stop: int) -> None:
        self.tokens, self.start, self.stop = tokens, start, stop

    def __len__(self) -> int:
        return self.stop - self.start

    @overload
    def __getitem__(self, index: int) -> Token: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Token]: ...
    def __getitem__(self, index: int | slice) -> Token | Sequence[Token]:
        wanted = range(self.start, self.stop)[index]
        if isinstance(wanted, int):
            return self.tokens[wanted]
        if wanted.step == 1:
            return Span(self.tokens, wanted.start, max(wanted.start, wanted.stop))
        return [self.tokens[at] for at in wanted]


def call_arguments(tokens: Sequence[Token], opening: int, closings: Mapping[int, int]) -> list[Span]:
    """Returns the tokens between two parentheses, split at the commas of that level.

    Nested parentheses are skipped by index, so that the time for nested calls is linear in their length.
    """
    found: list[Span] = []
    at = start = opening + 1
    closing = closings[opening]
    while at < closing:
        if tokens[at].token_type in OPENING:
            at = closings[at]
        elif tokens[at].token_type == TokenType.COMMA:
            found.append(Span(tokens, start, at))
            start = at + 1
        at += 1
    return [*found, Span(tokens, start, closing)] if found or start < closing else []


class Nesting:
    """Tracks how deep calls are nested, and limits it."""

    def __init__(self, tokens: Sequence[Token], closings: Mapping[int, int]) -> None:
        self._tokens, self._closings = tokens, closings
        self._around: list[int] = []

    def enter(self, at: int) -> None:
        """Records the next call in the text, by the index of its name.

        Raises:
            ParseError: it is nested too deeply. Each level reads the text inside it once more, so the time grows with
                the depth.
        """
        while self._around and self._around[-1] < at:
            self._around.pop()
        self._around.append(self._closings[at + 1])
        if len(self._around) > MOST_NESTED:
            raise too_deep(self._tokens[at].start)


def is_name(argument: Sequence[Token], text: str) -> bool:
    """Returns whether the tokens are a plain or qualified name: `churn`, `` `churn` ``, `sales.churn`."""
    return (
        len(argument) % 2 == 1
        and argument[0].token_type not in (TokenType.NULL, TokenType.TRUE, TokenType.FALSE)
        and all(
            token.token_type == TokenType.DOT
            if at % 2
            else token.token_type == TokenType.IDENTIFIER or is_word(token, text)
            for at, token in enumerate(argument)
        )
    )


def quoted_model(name: Sequence[Token]) -> str:
    """Returns a model's bare name as a SQL string literal.

    Raises:
        SqlmlError: SQLML_INVALID_NAME.
    """
    return quote_string(model_name("".join(token.text for token in name), name[0].start))


def split_at_keys(
    items: Sequence[Sequence[Token]], text: str, sign: TokenType
) -> Mapping[str, tuple[Token, Sequence[Token]]]:
    """Returns the arguments of the form `WORD sign value`: upper-case word → its token and the value.

    Raises:
        ParseError: a word without a value.
    """
    found: dict[str, tuple[Token, Sequence[Token]]] = {}
    for argument in items:
        if len(argument) > 1 and is_word(argument[0], text) and argument[1].token_type == sign:
            if len(argument) == 2:
                word, shown = argument[0].text, text[argument[1].start : argument[1].end + 1]
                raise ParseError(f"The value is missing after {word} {shown}.", offset=argument[1].end + 1)
            found[argument[0].text.upper()] = (argument[0], argument[2:])
    return found


@dataclass(frozen=True)
class Call:
    """A table-form call: the indices of its first token and of its name, its arguments, and the matching
    parentheses."""

    tokens: Sequence[Token]
    first: int
    name: int
    closings: Mapping[int, int]
    given: Sequence[Sequence[Token]]
    text: str

    @property
    def closing(self) -> int:
        """The index of the closing parenthesis."""
        return self.closings[self.name + 1]

    @property
    def start(self) -> int:
        """The offset of the call in the text."""
        return self.tokens[self.first].start

    @property
    def stop(self) -> int:
        """The offset after the call."""
        return self.tokens[self.closing].end + 1

    def function(self) -> Placed:
        """The replacement of everything up to the call's opening parenthesis."""
        return Placed("predict_outputs(", self.start, self.tokens[self.name].end + 1)


def is_quoted(token: Token) -> bool:
    """Returns whether a token is a quoted text or name."""
    return token.token_type in (TokenType.STRING, TokenType.RAW_STRING, TokenType.IDENTIFIER)


def is_with(tokens: Sequence[Token], closing: int) -> bool:
    """Returns whether `WITH (` follows a closing parenthesis."""
    return (
        closing + 2 < len(tokens)
        and tokens[closing + 1].text.upper() == "WITH"
        and tokens[closing + 2].token_type == TokenType.L_PAREN
    )
