"""What `functions` and `table_functions` share: the tokens of a call, and a text with some places replaced."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlglot import Token, TokenType

from sqlml.errors import ParseError
from sqlml.names import model_name
from sqlml.printing import quote_string
from sqlml.tokens import is_word

OPENING = {TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE}
CLOSING = {TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE}
# What holds all outputs, until they are columns of their own; no column is called so by chance.
HELD = "`sqlml outputs`"
_MOST_NESTED = 50


@dataclass(frozen=True)
class Moved:
    """`text[start:stop]` of the user's text, to stand where the edit does, with what is edited in it."""

    start: int
    stop: int


@dataclass(frozen=True)
class Placed:
    """A text of ours that speaks for `text[start:stop]` of the user's: an error in it is shown there."""

    new: str
    start: int
    stop: int


@dataclass(frozen=True)
class Edit:
    """`text[start:stop]` of the user's text became `new`; where that has several parts, the last is a plain text."""

    start: int
    stop: int
    new: str | tuple[str | Moved | Placed, ...]


@dataclass(frozen=True)
class Rewrite:
    """A text for Spark's parser, and how its places lead back to the user's.

    `edits` are (start, stop, new start, new stop), ascending in the new text: characters of the user's text and of the
    new one. Where both are equally long, they correspond one by one.
    """

    text: str
    edits: tuple[tuple[int, int, int, int], ...]

    def original(self, offset: int) -> int:
        """Where an offset of the new text is in the user's."""
        shift = 0
        for start, stop, new_start, new_stop in self.edits:
            if offset < new_start:
                break
            if offset < new_stop:
                return start
            shift = new_stop - stop
        return offset - shift


def closings(tokens: Sequence[Token]) -> dict[int, int]:
    """For each opening parenthesis, bracket or brace the index of what closes it; the last index where nothing does."""
    found: dict[int, int] = {}
    opened: list[int] = []
    for at, token in enumerate(tokens):
        if token.token_type in OPENING:
            opened.append(at)
        elif token.token_type in CLOSING and opened:
            found[opened.pop()] = at
    return found | dict.fromkeys(opened, len(tokens) - 1)


def arguments(tokens: Sequence[Token], opening: int, closing: int, types: bool = False) -> list[list[Token]]:
    """The tokens between two parentheses, split at the commas of that level.

    Args:
        types: whether < and > are parentheses too.
    """
    found: list[list[Token]] = [[]]
    depth = 0
    for token in tokens[opening + 1 : closing]:
        depth += (token.token_type in OPENING) - (token.token_type in CLOSING)
        depth += token.text.count("<") - token.text.count(">") if types and not is_quoted(token) else 0
        if token.token_type == TokenType.COMMA and depth == 0:
            found.append([])
        else:
            found[-1].append(token)
    return found if found != [[]] else []


def is_name(argument: Sequence[Token], text: str) -> bool:
    """`churn`, `` `churn` ``, `sales.churn`."""
    parts, dots = argument[::2], argument[1::2]
    return (
        len(argument) % 2 == 1
        and all(token.token_type == TokenType.DOT for token in dots)
        and all(token.token_type == TokenType.IDENTIFIER or is_word(token, text) for token in parts)
        and argument[0].token_type not in (TokenType.NULL, TokenType.TRUE, TokenType.FALSE)
    )


def quoted_model(name: Sequence[Token]) -> str:
    """A model's bare name as a text.

    Raises:
        SqlmlError: SQLML_INVALID_NAME.
    """
    return quote_string(model_name("".join(token.text for token in name), name[0].start))


def apply(text: str, edits: Sequence[Edit]) -> Rewrite:
    """The text with all edits made. What an edit replaces is gone, with the edits in it, unless it is `Moved`."""
    ordered = sorted(edits, key=lambda edit: (edit.start, edit.stop))
    writer = _Writer(text, ordered, [edit.start for edit in ordered])
    writer.copy(0, len(text), depth=0)
    return Rewrite("".join(writer.pieces), tuple(writer.places))


class _Writer:
    def __init__(self, text: str, edits: Sequence[Edit], starts: Sequence[int]) -> None:
        self._text, self._edits, self._starts = text, edits, starts
        self._length = 0
        self.pieces: list[str] = []
        self.places: list[tuple[int, int, int, int]] = []

    def copy(self, start: int, stop: int, depth: int) -> None:
        if depth > _MOST_NESTED:
            raise ParseError(f"Models are named within each other more than {_MOST_NESTED} deep.", offset=start)
        done = start
        for edit in self._edits[bisect_left(self._starts, start) :]:
            if edit.start > stop or (depth and edit.start == stop):
                break
            if edit.start < done:
                continue
            self._as_it_is(done, edit.start, moved=depth > 0)
            for piece in (edit.new,) if isinstance(edit.new, str) else edit.new:
                if isinstance(piece, Moved):
                    self.copy(piece.start, piece.stop, depth + 1)
                elif isinstance(piece, Placed):
                    self._put(piece.new, piece.start, piece.stop)
                else:
                    self._put(piece, edit.start, edit.stop)
            done = edit.stop
        self._as_it_is(done, stop, moved=depth > 0)

    def _as_it_is(self, start: int, stop: int, moved: bool) -> None:
        if moved:
            self._put(self._text[start:stop], start, stop)
        else:
            self.pieces.append(self._text[start:stop])
            self._length += stop - start

    def _put(self, new: str, start: int, stop: int) -> None:
        self.pieces.append(new)
        self.places.append((start, stop, self._length, self._length + len(new)))
        self._length += len(new)


def split_at_keys(
    given: Sequence[Sequence[Token]], text: str, sign: TokenType
) -> Mapping[str, tuple[Token, Sequence[Token]]]:
    """Of the arguments `WORD sign value`, by the word in upper case: the word and the value.

    Raises:
        ParseError: a word without a value.
    """
    found: dict[str, tuple[Token, Sequence[Token]]] = {}
    for argument in given:
        if len(argument) > 1 and is_word(argument[0], text) and argument[1].token_type == sign:
            if len(argument) == 2:
                word, shown = argument[0].text, text[argument[1].start : argument[1].end + 1]
                raise ParseError(f"A value is missing after {word} {shown}.", offset=argument[1].end + 1)
            found[argument[0].text.upper()] = (argument[0], argument[2:])
    return found


@dataclass(frozen=True)
class Call:
    """A call that stands for a table: the indices of its first token and its name, and of what closes what."""

    tokens: Sequence[Token]
    first: int
    name: int
    closings: Mapping[int, int]
    given: Sequence[Sequence[Token]]
    text: str

    @property
    def closing(self) -> int:
        return self.closings[self.name + 1]

    @property
    def start(self) -> int:
        return self.tokens[self.first].start

    @property
    def stop(self) -> int:
        return self.tokens[self.closing].end + 1

    def function(self) -> Placed:
        return Placed("predict_outputs(", self.start, self.tokens[self.name].end + 1)


def is_quoted(token: Token) -> bool:
    return token.token_type in (TokenType.STRING, TokenType.RAW_STRING, TokenType.IDENTIFIER)


def is_with(tokens: Sequence[Token], closing: int) -> bool:
    return (
        closing + 2 < len(tokens)
        and tokens[closing + 1].text.upper() == "WITH"
        and tokens[closing + 2].token_type == TokenType.L_PAREN
    )


def closing_of(tokens: Sequence[Token]) -> int:
    depth = 0
    for at, token in enumerate(tokens):
        depth += (token.token_type in OPENING) - (token.token_type in CLOSING)
        if depth == 0:
            return at
    return len(tokens) - 1
