"""MemoryResources: documents in this process's memory."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence

from asl_engine.store.resources import Change, Resource, check_revision


class MemoryResources:
    """A ResourceStore that ends with its process."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], Resource] = {}
        self._names: list[tuple[str, str]] = []

    async def get(self, kind: str, key: str) -> Resource | None:
        """See ResourceStore.get."""
        return self._kept.get((kind, key))

    async def write(self, *changes: Change) -> None:
        """See ResourceStore.write."""
        for change in changes:
            kept = self._kept.get((change.kind, change.key))
            check_revision(change, kept.revision if kept is not None else 0)
        for change in changes:
            self._apply(change)

    async def list(
        self, kind: str, *, prefix: str = "", after: str = "", limit: int | None = None
    ) -> Sequence[Resource]:
        """See ResourceStore.list."""
        names = self._names
        first = bisect_right(names, (kind, after)) if after >= prefix else bisect_left(names, (kind, prefix))
        found: list[Resource] = []
        while first < len(names) and (limit is None or len(found) < limit):
            if names[first][0] != kind or not names[first][1].startswith(prefix):
                break
            found.append(self._kept[names[first]])
            first += 1
        return found

    def _apply(self, change: Change) -> None:
        name = (change.kind, change.key)
        if change.document is None:
            if self._kept.pop(name, None) is not None:
                del self._names[bisect_left(self._names, name)]
            return
        if name not in self._kept:
            insort(self._names, name)
        self._kept[name] = Resource(
            kind=change.kind, key=change.key, revision=change.revision + 1, document=change.document
        )
