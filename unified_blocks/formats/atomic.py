"""Writing a file atomically: at any moment there is the old or the new one, never half of one."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A new file to write to, which takes the place of `path` at the end of the `with`.

    It is written under another name in the same folder, flushed to the disk, and renamed. When
    the `with` is left by an error it is removed, and `path` is as it was. Where `path` is a link,
    what it points to is replaced.

    Raises:
        OSError: about `path`, at once: when it is a folder, or when its folder does not exist or
            cannot be written to.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    handle, temporary = _created(path, target.parent)
    try:
        with os.fdopen(handle, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileNotFoundError):
            temporary.chmod(target.stat().st_mode & 0o777)
        temporary.replace(target)
    except BaseException:
        with suppress(FileNotFoundError):
            temporary.unlink()
        raise
    _flush_folder(target.parent)


def _created(path: Path, folder: Path) -> tuple[int, Path]:
    """A new file in `folder`, with the permissions that the system gives to new files."""
    flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_BINARY", 0)
    while True:
        temporary = folder / f".{secrets.token_hex(8)}.part"
        try:
            return os.open(temporary, flags, 0o666), temporary
        except FileExistsError:
            continue
        except OSError as error:  # its message names the temporary file
            raise OSError(error.errno, error.strerror, str(path)) from None


def _flush_folder(folder: Path) -> None:
    """Flush the renaming to the disk; Windows has no way to."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
