"""Claims: which process runs which execution of a store file. The kernel takes a claim back when its process dies.

A claim is a POSIX lock on one byte of a file beside the store, at an offset drawn from the execution's ARN. Such locks
belong to a process, not to a file descriptor: a process never excludes itself, and closing any descriptor of the file
drops all of them. So within one process every store on the same file shares one descriptor and one set of claims.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import threading
from pathlib import Path
from typing import Final

from asl_engine.errors import ExecutionClaimed, StoreUnavailable

_OFFSET_BITS: Final = 62  # off_t is signed, and the end of the range must fit as well


class _LockFile:
    """The one descriptor of this process on a lock file, and the offsets that are locked through it."""

    def __init__(self, path: Path) -> None:
        self.descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.offsets: set[int] = set()
        self.users = 0


_lock_files: dict[Path, _LockFile] = {}
_guard = threading.Lock()


class Claims:
    """The claims that one store holds. Its first use opens the lock file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: _LockFile | None = None
        self._offsets: set[int] = set()
        self._closed = False

    def take(self, execution_arn: str) -> None:
        """Claim an execution. Raises ExecutionClaimed and StoreUnavailable."""
        offset = _offset(execution_arn)
        with _guard:
            file = self._opened()
            if offset in file.offsets:
                raise ExecutionClaimed(f"{execution_arn} is already being run by this process")
            try:
                fcntl.lockf(file.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, offset)
            except BlockingIOError as error:
                raise ExecutionClaimed(
                    f"{execution_arn} is being run by another live process, which holds its lock in {self._path}. "
                    "Let that process finish, or end it: the claim ends with it"
                ) from error
            except OSError as error:
                raise StoreUnavailable(f"{self._path}: the claim could not be taken: {error.strerror}") from error
            file.offsets.add(offset)
            self._offsets.add(offset)

    def give_back(self, execution_arn: str) -> None:
        """End a claim, if there is one."""
        offset = _offset(execution_arn)
        with _guard:
            if self._file is not None and offset in self._offsets:
                self._unlock(self._file, offset)

    def close(self) -> None:
        """End all claims of this store, and let go of the file if it was the last store to use it."""
        with _guard:
            self._closed = True
            if self._file is None:
                return
            for offset in tuple(self._offsets):
                self._unlock(self._file, offset)
            self._file.users -= 1
            if not self._file.users:
                os.close(self._file.descriptor)
                del _lock_files[self._path]
            self._file = None

    def _opened(self) -> _LockFile:
        if self._closed:
            raise StoreUnavailable(f"{self._path}: this store is closed; open it again to use it")
        if self._file is None:
            self._path = self._path.resolve()
            try:
                self._file = _lock_files.get(self._path) or _lock_files.setdefault(self._path, _LockFile(self._path))
            except OSError as error:
                raise StoreUnavailable(
                    f"{self._path}: the lock file could not be opened: {error.strerror}. "
                    "Its directory must exist and be writable"
                ) from error
            self._file.users += 1
        return self._file

    def _unlock(self, file: _LockFile, offset: int) -> None:
        fcntl.lockf(file.descriptor, fcntl.LOCK_UN, 1, offset)
        file.offsets.discard(offset)
        self._offsets.discard(offset)


def _offset(execution_arn: str) -> int:
    digest = hashlib.sha256(execution_arn.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") >> (64 - _OFFSET_BITS)
