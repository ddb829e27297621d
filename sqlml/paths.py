"""Files that a SQL statement names: which of them it may read and write, and how, without being led elsewhere."""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote

from sqlml.errors import SqlmlError
from sqlml.settings import ALLOWED_PATHS

_SCHEME = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):/")
_FILE = re.compile(r"file:(?://(?:localhost)?)?(?P<path>/.*)\Z", re.IGNORECASE | re.DOTALL)
# What would let a URI name more than one file, or one above its folder; in plain text and encoded.
_TRICKS = re.compile(r"[*?\[\]{}\\\x00#]|(?:^|/)\.\.?(?:/|$)|%2e|%2f", re.IGNORECASE)


@dataclass(frozen=True)
class AllowedPaths:
    """The folders below which files may be named.

    Attributes:
        folders: local ones, symbolic links resolved.
        elsewhere: URIs of folders on other file systems, each with a slash at its end.
        closed: local ones among them that are not allowed all the same.
    """

    folders: tuple[Path, ...]
    elsewhere: tuple[str, ...] = ()
    closed: tuple[Path, ...] = ()

    @classmethod
    def of(cls, entries: Sequence[str]) -> AllowedPaths:
        """Those of a list of paths and URIs."""
        local = tuple(Path(os.path.realpath(plain(entry))) for entry in entries if not is_elsewhere(entry))
        others = tuple(entry.rstrip("/") + "/" for entry in entries if is_elsewhere(entry))
        return cls(local, others)

    def without(self, folders: Sequence[Path]) -> AllowedPaths:
        """The same but for some folders and what is in them."""
        return replace(self, closed=(*self.closed, *folders))

    def __add__(self, other: AllowedPaths) -> AllowedPaths:
        return AllowedPaths(self.folders + other.folders, self.elsewhere + other.elsewhere)

    def holds(self, text: str) -> bool:
        """Whether a path or a URI lies below one of the folders."""
        if "\0" in text:
            return False
        if is_elsewhere(text):
            return not _TRICKS.search(text) and text.startswith(self.elsewhere)
        resolved = Path(os.path.realpath(plain(text)))
        around = {resolved, *resolved.parents}
        return not around.isdisjoint(self.folders) and around.isdisjoint(self.closed)

    def check(self, text: str) -> None:
        """Raises SqlmlError SQLML_PATH_NOT_ALLOWED unless `holds`; says what the user wrote, not where that leads."""
        if not self.holds(text):
            raise SqlmlError(
                "SQLML_PATH_NOT_ALLOWED",
                f"{_shown(text)} is not within the folders that statements may use.",
                hint=f"The administrator names them in the static setting {ALLOWED_PATHS.key}; without it they are the"
                " warehouse and the driver's working directory.",
            )


def is_elsewhere(text: str) -> bool:
    """Whether it is the URI of something that is no local file: `hdfs:/…`, `s3a://…`, `http://…`."""
    found = _SCHEME.match(text)
    return found is not None and not _FILE.match(text)


def plain(text: str) -> str:
    """The path of a `file:` URI, or the path that it is already."""
    found = _FILE.match(text)
    return unquote(found["path"]) if found else text


def read(
    path: str | os.PathLike[str], most_bytes: int, allowed: AllowedPaths | None = None, *, hard_links: bool = False
) -> bytes:
    """A plain file's bytes. A pipe or a device would be read for ever, so anything else is refused unread.

    Args:
        path: a path, or a `file:` URI.
        allowed: where it has to lie, after symbolic links; None for a caller who may name any file.
        hard_links: whether it may have a second name, which could be anywhere.

    Raises:
        SqlmlError: SQLML_PATH_NOT_ALLOWED, SQLML_PATH_NOT_FOUND; SQLML_MODEL_REFUSED for one that is too large.
    """
    text = plain(os.fspath(path))
    if allowed is not None:
        allowed.check(os.fspath(path))
    resolved = os.path.realpath(text)
    shown = _shown(os.fspath(path))
    try:
        _check_plain(os.lstat(resolved), shown)
        descriptor = os.open(resolved, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            about = os.fstat(descriptor)
            _check_plain(about, shown)
            if allowed is not None:
                # What was opened, should a folder on the way have been exchanged since.
                allowed.check(_opened(descriptor, resolved))
                if about.st_nlink > 1 and not hard_links:
                    raise _no_file(f"{shown} has a second name (a hard link), so that nobody can tell where it is")
            if about.st_size > most_bytes:
                raise SqlmlError(
                    "SQLML_MODEL_REFUSED",
                    f"The model is refused: {shown} has {about.st_size} bytes, and the limit is {most_bytes}.",
                )
            return file.read(most_bytes + 1)
    except OSError as error:
        raise SqlmlError("SQLML_PATH_NOT_FOUND", f"{shown} cannot be read: {error.strerror}.") from error


def write(
    path: str, allowed: AllowedPaths, make: Callable[[Path], None], earlier: Callable[[Path], bool] | None
) -> int:
    """Makes a file or a folder that appears whole or not at all; returns its bytes.

    Args:
        path: a path, or a `file:` URI.
        make: writes it at a place that does not exist yet.
        earlier: whether what is there may be replaced; None to replace nothing.

    Raises:
        SqlmlError: SQLML_PATH_NOT_ALLOWED, SQLML_PATH_NOT_FOUND, SQLML_PATH_ALREADY_EXISTS.
    """
    shown = _shown(path)
    if is_elsewhere(path):
        raise SqlmlError(
            "SQLML_PATH_NOT_ALLOWED",
            f"{shown} is no local path, and only those are written.",
            hint="EXPORT MODEL … INTO TABLE writes wherever Spark keeps tables.",
        )
    allowed.check(path)
    text = plain(path)
    folder, name = os.path.realpath(os.path.dirname(text) or "."), os.path.basename(text)
    place = Path(folder, name)
    if name in ("", ".", "..") or place in allowed.folders:
        raise _no_file(f"{shown} names no file")
    if place.is_symlink():
        raise _no_file(f"{shown} is a link")
    try:
        _check_free(place, shown, earlier)
        with tempfile.TemporaryDirectory(prefix=f".{name[:40]}-", dir=folder) as scratch:
            made = Path(scratch, name)
            make(made)
            size = sum(file.stat().st_size for file in [made, *made.rglob("*")] if file.is_file())
            _move(made, place, Path(scratch, "before"), shown, earlier)
    except OSError as error:
        raise SqlmlError("SQLML_PATH_NOT_FOUND", f"{shown} cannot be written: {error.strerror}.") from error
    return size


def _check_free(place: Path, shown: str, earlier: Callable[[Path], bool] | None) -> None:
    if not os.path.lexists(place):
        return
    if earlier is None:
        raise _exists(shown, "OPTIONS (overwrite = true) replaces it.")
    if not earlier(place):
        raise _exists(shown, "It is no model that was exported before, so it is not replaced: remove it first.")


def _move(made: Path, place: Path, aside: Path, shown: str, earlier: Callable[[Path], bool] | None) -> None:
    if earlier is not None:
        if made.is_file():
            os.replace(made, place)
            return
        # A folder cannot take the place of another in one step.
        if place.is_dir():
            os.rename(place, aside)
        os.rename(made, place)
        shutil.rmtree(aside, ignore_errors=True)
        return
    try:
        if made.is_file():
            # A link, unlike a renaming, never takes the place of what somebody else has put there since.
            os.link(made, place)
        else:
            os.mkdir(place)
            os.rename(made, place)
    except FileExistsError:
        raise _exists(shown, "OPTIONS (overwrite = true) replaces it.") from None


def _opened(descriptor: int, otherwise: str) -> str:
    """Where an open file lies, as Linux knows it."""
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")
    except OSError:
        return otherwise


def _check_plain(about: os.stat_result, shown: str) -> None:
    if stat.S_ISDIR(about.st_mode):
        raise _no_file(f"{shown} is a folder", "A SavedModel's folder becomes ONNX by tf2onnx.")
    if not stat.S_ISREG(about.st_mode):
        raise _no_file(f"{shown} is no file")


def _no_file(what: str, hint: str = "") -> SqlmlError:
    return SqlmlError("SQLML_PATH_NOT_ALLOWED", f"{what}.", hint=hint)


def _exists(shown: str, hint: str) -> SqlmlError:
    return SqlmlError("SQLML_PATH_ALREADY_EXISTS", f"{shown} exists already.", hint=hint)


def _shown(text: str) -> str:
    """A user's own words, short enough for a message."""
    return repr(text) if len(text) <= 120 else repr(f"{text[:100]}…")
