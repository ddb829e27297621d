"""Access control for files that SQL statements name: an allow-list of folders, safe against symbolic-link races.

A path is resolved once. From then on an open directory handle stands for its folder, because a user who can rename
folders on the way could put a symbolic link in their place between two look-ups (TOCTOU). `sqlml.system.file_export`
writes through the same handles.
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
# Wildcards and parent folders, plain or percent-encoded, with which a URI could name other files.
_TRICKS = re.compile(r"[*?\[\]{}\\\x00#]|(?:^|/)\.\.?(?:/|$)|%2e|%2f", re.IGNORECASE)

# O_PATH, where the system has it, needs no right to list the folder.
_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True)
class AllowedPaths:
    """The folders below which files may be named.

    Attributes:
        folders: local folders, symbolic links resolved.
        elsewhere: URIs of folders on other file systems, each with a slash at its end.
        closed: files or folders inside them that are excluded.
    """

    folders: tuple[Path, ...]
    elsewhere: tuple[str, ...] = ()
    closed: tuple[Path, ...] = ()

    @classmethod
    def of(cls, entries: Sequence[str]) -> AllowedPaths:
        """Returns the allow-list for some paths and URIs."""
        local = tuple(Path(os.path.realpath(plain(entry))) for entry in entries if not is_elsewhere(entry))
        others = tuple(entry.rstrip("/") + "/" for entry in entries if is_elsewhere(entry))
        return cls(local, others)

    def without(self, paths: Sequence[Path]) -> AllowedPaths:
        """Returns the same allow-list with some files and folders excluded."""
        return replace(self, closed=(*self.closed, *paths))

    def __add__(self, other: AllowedPaths) -> AllowedPaths:
        return AllowedPaths(self.folders + other.folders, self.elsewhere + other.elsewhere)

    def holds(self, text: str) -> bool:
        """Returns whether a path or a URI is below one of the folders."""
        if is_elsewhere(text):
            return not _TRICKS.search(text) and text.startswith(self.elsewhere)
        resolved = resolve(text)
        return resolved is not None and self.holds_resolved(resolved)

    def holds_resolved(self, resolved: Path) -> bool:
        """Returns whether a path without symbolic links is below one of the folders. The path is not resolved again."""
        around = {resolved, *resolved.parents}
        return not around.isdisjoint(self.folders) and around.isdisjoint(self.closed)

    def check(self, text: str) -> None:
        """Raises SqlmlError SQLML_PATH_NOT_ALLOWED unless `holds`.

        The message shows the path as the user wrote it, not the one that links lead to.
        """
        if not self.holds(text):
            raise outside(quoted(text))


def is_elsewhere(text: str) -> bool:
    """Returns whether the text is the URI of another file system: `hdfs:/…`, `s3a://…`, `http://…`."""
    found = _SCHEME.match(text)
    return found is not None and not _FILE.match(text)


def plain(text: str) -> str:
    """Returns the path of a `file:` URI; a plain path unchanged."""
    found = _FILE.match(text)
    return unquote(found["path"]) if found else text


def read(
    path: str | os.PathLike[str], most_bytes: int, allowed: AllowedPaths | None = None, *, hard_links: bool = False
) -> bytes:
    """Returns the content of a regular file. Pipes and devices, which might never end, are refused unread.

    Args:
        path: a path, or a `file:` URI.
        allowed: the allow-list for the resolved path; None for a caller who may name any file.
        hard_links: whether the file may have a second name, which could be anywhere.

    Raises:
        SqlmlError: SQLML_PATH_NOT_ALLOWED, SQLML_PATH_NOT_FOUND; SQLML_MODEL_REFUSED for a file that is too large.
    """
    shown = quoted(os.fspath(path))
    if allowed is not None:
        allowed.check(os.fspath(path))
    resolved = resolve(os.fspath(path))
    if resolved is None:
        raise not_a_file(f"{shown} is not a path")
    try:
        # Checked before it is opened, since opening a pipe may block, and again after, in case it was replaced.
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
                    raise not_a_file(f"{shown} has a hard link, so it may be outside of the allowed folders")
            if about.st_size > most_bytes:
                raise SqlmlError(
                    "SQLML_MODEL_REFUSED",
                    f"The model is refused: {shown} has {about.st_size} bytes, but the limit is {most_bytes}.",
                )
            return file.read(most_bytes + 1)
    except OSError as error:
        raise SqlmlError("SQLML_PATH_NOT_FOUND", f"{shown} cannot be read: {error.strerror}.") from error


def resolve(text: str) -> Path | None:
    """Returns a local path or `file:` URI without symbolic links; None for a text that cannot be a path."""
    name = plain(text)
    try:
        if "\0" in name:
            return None
        return Path(os.path.realpath(name))
    except (OSError, UnicodeEncodeError):
        return None  # the working directory is gone, or a character is half of a surrogate pair


@contextmanager
def opened_folder(resolved: Path, allowed: AllowedPaths | None, shown: str) -> Iterator[int]:
    """Opens the folder of a resolved path; the handle stays valid whatever happens to the folder's name.

    The walk begins at the allowed folder, which is the administrator's, and opens one component after the other without
    following links. So it never leaves that folder, and fails at a link that replaced a component after the path was
    resolved.

    Args:
        allowed: None for a caller who may name any file.
        shown: the path as messages show it.

    Raises:
        SqlmlError: SQLML_PATH_NOT_ALLOWED.
        OSError: a component is missing, not a folder, or a link.
    """
    parent = resolved.parent
    ancestors = (*reversed(parent.parents), parent)
    roots = [parent] if allowed is None else [ancestor for ancestor in ancestors if ancestor in allowed.folders]
    # An entry of the allow-list may be a single file: its folder is the administrator's too.
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
    """Raises unless an open file or folder, or a name in it, is below an allowed folder by its current path on Linux.

    Systems without /proc do not tell the path of a handle; there it has to do that no link was followed.
    """
    try:
        where = os.readlink(f"/proc/self/fd/{descriptor}")
    except OSError:
        return
    if not allowed.holds_resolved(Path(where, name)):
        raise outside(shown)


def _check_plain(about: os.stat_result, shown: str) -> None:
    if stat.S_ISDIR(about.st_mode):
        raise not_a_file(f"{shown} is a folder", "Convert the folder of a SavedModel by tf2onnx.")
    if not stat.S_ISREG(about.st_mode):
        raise not_a_file(f"{shown} is not a regular file")


def outside(shown: str) -> SqlmlError:
    """Returns the error for a path outside of the allowed folders."""
    return SqlmlError(
        "SQLML_PATH_NOT_ALLOWED",
        f"{shown} is outside of the folders that statements may use.",
        hint=f"The static setting {ALLOWED_PATHS.key} lists these folders. By default they are the warehouse and the"
        " driver's working directory.",
    )


def not_a_file(what: str, hint: str = "") -> SqlmlError:
    """Returns the error for a path that is no regular file."""
    return SqlmlError("SQLML_PATH_NOT_ALLOWED", f"{what}.", hint=hint)


def quoted(text: str) -> str:
    """Returns a text of the user's in quotes, shortened for a message."""
    return repr(text) if len(text) <= 120 else repr(f"{text[:100]}…")
