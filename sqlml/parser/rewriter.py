"""A text with some parts replaced, and the way from an offset in the new text back to the user's."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from sqlml.errors import ParseError

MOST_NESTED = 50


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
                # Within what has been replaced; those that are `Moved` are behind already.
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
    return ParseError(f"Models are named within each other more than {MOST_NESTED} deep.", offset=offset)
