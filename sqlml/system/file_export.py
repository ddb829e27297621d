"""Atomic export of a file or folder to a path that a statement names: complete or absent, and never outside.

The content is built in a private temporary folder, copied next to its destination through the handle of the opened
folder, and renamed there through the same handle. No path is resolved twice, so a folder that is replaced by a link
meanwhile cannot lead out of the allowed folders.
"""

from __future__ import annotations

import os
import secrets
import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlml.errors import SqlmlError
from sqlml.system import allowed_paths, temporary
from sqlml.system.allowed_paths import AllowedPaths

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_OVERWRITE = "Use OPTIONS (overwrite = true) to replace it."


@dataclass(frozen=True)
class Existing:
    """A file or folder that has the destination's name already, opened through the folder's handle, never through
    links."""

    folder: int
    names: tuple[str, ...]

    def inside(self, name: str) -> Existing:
        """Returns a file of this folder."""
        return Existing(self.folder, (*self.names, name))

    def read(self, most_bytes: int) -> bytes | None:
        """Returns up to `most_bytes` of a regular file; None where there is no regular file."""
        opened: list[int] = []
        try:
            for name in self.names[:-1]:
                flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
                opened.append(os.open(name, flags, dir_fd=opened[-1] if opened else self.folder))
            flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
            opened.append(os.open(self.names[-1], flags, dir_fd=opened[-1] if opened else self.folder))
            if not stat.S_ISREG(os.fstat(opened[-1]).st_mode):
                return None
            with open(opened[-1], "rb", closefd=False) as file:
                return file.read(most_bytes)
        except OSError:
            return None
        finally:
            for descriptor in opened:
                os.close(descriptor)


def write(
    path: str, allowed: AllowedPaths, make: Callable[[Path], None], earlier: Callable[[Existing], bool] | None
) -> int:
    """Writes a file or a folder atomically; returns its size in bytes.

    Args:
        path: a path, or a `file:` URI.
        make: writes the content to a path that does not exist yet.
        earlier: returns whether an existing file or folder may be replaced; None to replace nothing.

    Raises:
        SqlmlError: SQLML_PATH_NOT_ALLOWED, SQLML_PATH_NOT_FOUND, SQLML_PATH_ALREADY_EXISTS.
    """
    shown = allowed_paths.quoted(path)
    if allowed_paths.is_elsewhere(path):
        raise SqlmlError(
            "SQLML_PATH_NOT_ALLOWED",
            f"{shown} is not a local path, and EXPORT MODEL can write only local paths.",
            hint="Use EXPORT MODEL … INTO TABLE to write to another file system.",
        )
    allowed.check(path)
    above, name = os.path.split(allowed_paths.plain(path))
    parent = allowed_paths.resolve(above or ".")
    if parent is None or name in ("", ".", "..") or parent / name in allowed.folders:
        raise allowed_paths.not_a_file(f"{shown} does not name a file")
    try:
        with (
            allowed_paths.opened_folder(parent / name, allowed, shown) as folder,
            temporary.folder("export") as private,
        ):
            allowed_paths.check_opened(folder, allowed, shown, name)
            _check_free(folder, name, shown, earlier)
            # Only now the content, because making it may take long.
            made = private / "made"
            make(made)
            return _put(made, folder, name, allowed, shown, replace=earlier is not None)
    except OSError as error:
        raise SqlmlError("SQLML_PATH_NOT_FOUND", f"{shown} cannot be written: {error.strerror}.") from error


def _check_free(folder: int, name: str, shown: str, earlier: Callable[[Existing], bool] | None) -> None:
    try:
        about = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return
    if stat.S_ISLNK(about.st_mode):
        raise allowed_paths.not_a_file(f"{shown} is a symbolic link")
    if earlier is None:
        raise _exists(shown, _OVERWRITE)
    if not earlier(Existing(folder, (name,))):
        raise _exists(shown, "It is not an earlier export, so it cannot be overwritten. Remove it first.")


def _put(made: Path, folder: int, name: str, allowed: AllowedPaths, shown: str, *, replace: bool) -> int:
    """Copies the content next to the destination under a scratch name, then renames it."""
    scratch = f".{name[:40]}-{secrets.token_hex(4)}"
    try:
        size = _copy(made, folder, scratch)
        # Checked again, in case the folder itself was moved out of the allowed folders meanwhile.
        allowed_paths.check_opened(folder, allowed, shown)
        if made.is_dir():
            _move_folder(folder, scratch, name, replace=replace)
        elif replace:
            os.replace(scratch, name, src_dir_fd=folder, dst_dir_fd=folder)
        else:
            # Unlike rename, link fails where a file has appeared under the name since.
            os.link(scratch, name, src_dir_fd=folder, dst_dir_fd=folder)
        return size
    except FileExistsError:
        raise _exists(shown, _OVERWRITE) from None
    finally:
        _remove(folder, scratch)


def _copy(made: Path, folder: int, name: str) -> int:
    """Copies a file or folder into an open folder; returns its size in bytes."""
    if not made.is_dir():
        with open(os.open(name, _NEW_FILE, 0o666, dir_fd=folder), "wb") as target, made.open("rb") as source:
            shutil.copyfileobj(source, target, 1 << 20)
            return target.tell()
    os.mkdir(name, dir_fd=folder)
    inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        return sum(_copy(child, inner, child.name) for child in sorted(made.iterdir()))
    finally:
        os.close(inner)


def _move_folder(folder: int, scratch: str, name: str, *, replace: bool) -> None:
    """Renames a folder to its final name; an existing one is moved aside first, and back if the renaming fails."""
    aside = f"{scratch}-before"
    try:
        if replace:
            # rename cannot replace a folder that is not empty.
            with_before = _renamed(folder, name, aside)
        else:
            os.mkdir(name, dir_fd=folder)
            with_before = False
        try:
            os.rename(scratch, name, src_dir_fd=folder, dst_dir_fd=folder)
        except OSError:
            if with_before:
                os.rename(aside, name, src_dir_fd=folder, dst_dir_fd=folder)
            elif not replace:
                os.rmdir(name, dir_fd=folder)
            raise
    finally:
        _remove(folder, aside)


def _renamed(folder: int, name: str, new: str) -> bool:
    try:
        os.rename(name, new, src_dir_fd=folder, dst_dir_fd=folder)
    except FileNotFoundError:
        return False
    return True


def _remove(folder: int, name: str) -> None:
    """Removes what a failed copy has left; nothing to do after a successful one."""
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        return
    except OSError:  # a folder
        shutil.rmtree(name, ignore_errors=True, dir_fd=folder)


def _exists(shown: str, hint: str) -> SqlmlError:
    return SqlmlError("SQLML_PATH_ALREADY_EXISTS", f"{shown} already exists.", hint=hint)
