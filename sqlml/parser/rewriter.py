"""Applies edits to the user's text, and maps offsets in the new text back to it.

Errors that Spark finds in the new text are thus shown at the user's own positions. An edit may move a part of the text,
with the edits inside it: table forms nest like that.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from sqlml.errors import ParseError

MOST_NESTED = 50


@dataclass(frozen=True)
class Moved:
    """`text[start:stop]` of the user's text, moved into an edit; other edits inside it apply."""

    start: int
    stop: int


@dataclass(frozen=True)
class Placed:
    """A generated text that stands for `text[start:stop]` of the user's text: errors in it are reported there."""

    new: str
    start: int
    stop: int


@dataclass(frozen=True)
class Edit:
    """Replaces `text[start:stop]` of the user's text by `new`; of several parts the last is a plain text."""

    start: int
    stop: int
    new: str | tuple[str | Moved | Placed, ...]


@dataclass(frozen=True)
class Rewrite:
    """A text for Spark's parser, and the mapping of its offsets to the user's text.

    `edits` are (start, stop, new start, new stop), ascending in the new text: a range of the user's text and its
    counterpart in the new one. Ranges of equal length correspond character by character.
    """

    text: str
    edits: tuple[tuple[int, int, int, int], ...]

    def original(self, offset: int) -> int:
        """Returns the offset in the user's text for an offset in the new one."""
        shift = 0
        for start, stop, new_start, new_stop in self.edits:
            if offset < new_start:
                break
            if offset < new_stop:
                return start
            shift = new_stop - stop
        return offset - shift


def apply(text: str, edits: Sequence[Edit]) -> Rewrite:
    """Returns the text with all edits applied; edits inside a replaced range are dropped unless it is `Moved`."""
    ordered = sorted(edits, key=lambda edit: (edit.start, edit.stop))
    writer = _Writer(text, ordered, [edit.start for edit in ordered])
    writer.copy(0, len(text), depth=0)
    return Rewrite("".join(writer.pieces), tuple(writer.places))


class _Writer:
    """Writes the new text piece by piece, and the mapping of offsets with it."""

    def __init__(self, text: str, edits: Sequence[Edit], starts: Sequence[int]) -> None:
        self._text, self._edits, self._starts = text, edits, starts
        self._length = 0
        self.pieces: list[str] = []
        self.places: list[tuple[int, int, int, int]] = []

    def copy(self, start: int, stop: int, depth: int) -> None:
        """Copies a range of the user's text with its edits applied; calls itself for `Moved` parts."""
        if depth > MOST_NESTED:
            raise too_deep(start)
        done = start
        index = bisect_left(self._starts, start)
        while index < len(self._edits):
            edit = self._edits[index]
            index += 1
            if edit.start > stop or (depth and edit.start == stop):
                break
            if edit.start < done:
                # Inside a range that has been replaced. Edits in `Moved` parts of it are applied already.
                index = bisect_left(self._starts, done, index)
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


def too_deep(offset: int) -> ParseError:
    """Returns the error for calls that are nested too deep."""
    return ParseError(f"Calls of PREDICT are nested more than {MOST_NESTED} levels deep.", offset=offset)
