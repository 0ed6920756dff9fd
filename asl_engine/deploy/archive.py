"""Zip files that depend on their content alone: names sorted, times fixed, the same permissions everywhere."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# The oldest time that a zip file can tell.
_TIME: Final = (1980, 1, 1, 0, 0, 0)
# A regular file that everybody may read: Lambda runs the code as a user of its own.
_FILE_MODE: Final = 0o100644 << 16
_CREATED_ON_UNIX: Final = 3


@dataclass(frozen=True, slots=True)
class ArchiveSize:
    """Bytes as they are uploaded, and as they lie on the function's disk (limit: 250 MB)."""

    zipped: int
    unzipped: int


def write_archive(target: Path, files: Mapping[str, Path]) -> ArchiveSize:
    """Write files under their names in the archive. The same content gives the same bytes on every machine."""
    target.parent.mkdir(parents=True, exist_ok=True)
    unzipped = 0
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(files):
            content = files[name].read_bytes()
            unzipped += len(content)
            entry = zipfile.ZipInfo(name, _TIME)
            entry.compress_type, entry.external_attr, entry.create_system = (
                zipfile.ZIP_DEFLATED,
                _FILE_MODE,
                _CREATED_ON_UNIX,
            )
            archive.writestr(entry, content)
    return ArchiveSize(target.stat().st_size, unzipped)
