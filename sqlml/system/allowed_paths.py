"""Files that a SQL statement names: which of them it may read and write, and how, without being led elsewhere.

A name is looked up once. From then on an open folder stands for it, because whoever may rename folders on the way could
put a symbolic link in their place between two look-ups. `sqlml.system.file_export` writes by the same handles.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote

from sqlml.errors import SqlmlError
from sqlml.settings import ALLOWED_PATHS

_SCHEME = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):/")
_FILE = re.compile(r"file:(?://(?:localhost)?)?(?P<path>/.*)\Z", re.IGNORECASE | re.DOTALL)
# What would let a URI name more than one file, or one above its folder; in plain text and encoded.
_TRICKS = re.compile(r"[*?\[\]{}\\\x00#]|(?:^|/)\.\.?(?:/|$)|%2e|%2f", re.IGNORECASE)

# O_PATH, where there is one, needs no right to list the folder.
_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True)
class AllowedPaths:
    """The folders below which files may be named.

    Attributes:
        folders: local ones, symbolic links resolved.
        elsewhere: URIs of folders on other file systems, each with a slash at its end.
        closed: local places in them, folders or files, that are not allowed all the same.
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

    def without(self, places: Sequence[Path]) -> AllowedPaths:
        """The same but for some files, some folders and what is in them."""
        return replace(self, closed=(*self.closed, *places))

    def __add__(self, other: AllowedPaths) -> AllowedPaths:
        return AllowedPaths(self.folders + other.folders, self.elsewhere + other.elsewhere)

    def holds(self, text: str) -> bool:
        """Whether a path or a URI lies below one of the folders."""
        if is_elsewhere(text):
            return not _TRICKS.search(text) and text.startswith(self.elsewhere)
        resolved = resolve(text)
        return resolved is not None and self.holds_resolved(resolved)

    def holds_resolved(self, resolved: Path) -> bool:
        """Whether a path without symbolic links lies below one of the folders. It is not looked up again."""
        around = {resolved, *resolved.parents}
        return not around.isdisjoint(self.folders) and around.isdisjoint(self.closed)

    def check(self, text: str) -> None:
        """Raises SqlmlError SQLML_PATH_NOT_ALLOWED unless `holds`; says what the user wrote, not where that leads."""
        if not self.holds(text):
            raise outside(quoted(text))


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
    shown = quoted(os.fspath(path))
    if allowed is not None:
        allowed.check(os.fspath(path))
    resolved = resolve(os.fspath(path))
    if resolved is None:
        raise not_a_file(f"{shown} is no path")
    try:
        with opened_folder(resolved, allowed, shown) as folder:
            _check_plain(os.stat(resolved.name, dir_fd=folder, follow_symlinks=False), shown)
            flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(resolved.name, flags, dir_fd=folder)
        with open(descriptor, "rb") as file:
            about = os.fstat(descriptor)
            _check_plain(about, shown)
            if allowed is not None:
                check_opened(descriptor, allowed, shown)
                if about.st_nlink > 1 and not hard_links:
                    raise not_a_file(f"{shown} has a second name (a hard link), so that nobody can tell where it is")
            if about.st_size > most_bytes:
                raise SqlmlError(
                    "SQLML_MODEL_REFUSED",
                    f"The model is refused: {shown} has {about.st_size} bytes, and the limit is {most_bytes}.",
                )
            return file.read(most_bytes + 1)
    except OSError as error:
        raise SqlmlError("SQLML_PATH_NOT_FOUND", f"{shown} cannot be read: {error.strerror}.") from error


def resolve(text: str) -> Path | None:
    """A local path or `file:` URI without symbolic links; None for what no file can be called."""
    name = plain(text)
    try:
        if "\0" in name:
            return None
        return Path(os.path.realpath(name))
    except (OSError, UnicodeEncodeError):
        return None  # the working directory is gone, or a character is half of a surrogate pair


@contextmanager
def opened_folder(resolved: Path, allowed: AllowedPaths | None, shown: str) -> Iterator[int]:
    """The open folder of a resolved path: a handle that stays what it is, whatever its name becomes.

    The walk begins at the allowed folder, which is the administrator's, and takes one component after the other
    without following links. So it never leaves that folder, and a link that was put in a component's place since the
    path was resolved ends it.

    Args:
        allowed: None for a caller who may name any file.
        shown: the path as messages show it.

    Raises:
        SqlmlError: SQLML_PATH_NOT_ALLOWED.
        OSError: a component is gone, no folder, or a link.
    """
    parent = resolved.parent
    ancestors = (*reversed(parent.parents), parent)
    roots = [parent] if allowed is None else [ancestor for ancestor in ancestors if ancestor in allowed.folders]
    # An allowed folder may be a single file: its folder is as much the administrator's.
    root = roots[0] if roots else parent
    folder = os.open(root, _FOLDER)
    try:
        for component in parent.relative_to(root).parts:
            folder, above = os.open(component, _FOLDER, dir_fd=folder), folder
            os.close(above)
        if allowed is not None and roots:
            check_opened(folder, allowed, shown)
        yield folder
    finally:
        os.close(folder)


def check_opened(descriptor: int, allowed: AllowedPaths, shown: str, name: str = "") -> None:
    """Raises unless an open file or folder, or a name in it, is where statements may use files, as Linux knows it now.

    Elsewhere nobody can tell, and that no link was followed has to do.
    """
    try:
        where = os.readlink(f"/proc/self/fd/{descriptor}")
    except OSError:
        return
    if not allowed.holds_resolved(Path(where, name)):
        raise outside(shown)


def _check_plain(about: os.stat_result, shown: str) -> None:
    if stat.S_ISDIR(about.st_mode):
        raise not_a_file(f"{shown} is a folder", "A SavedModel's folder becomes ONNX by tf2onnx.")
    if not stat.S_ISREG(about.st_mode):
        raise not_a_file(f"{shown} is no file")


def outside(shown: str) -> SqlmlError:
    return SqlmlError(
        "SQLML_PATH_NOT_ALLOWED",
        f"{shown} is not within the folders that statements may use.",
        hint=f"The administrator names them in the static setting {ALLOWED_PATHS.key}; without it they are the"
        " warehouse and the driver's working directory.",
    )


def not_a_file(what: str, hint: str = "") -> SqlmlError:
    return SqlmlError("SQLML_PATH_NOT_ALLOWED", f"{what}.", hint=hint)


def quoted(text: str) -> str:
    """A user's own words, short enough for a message."""
    return repr(text) if len(text) <= 120 else repr(f"{text[:100]}…")
