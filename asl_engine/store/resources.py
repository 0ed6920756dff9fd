"""Resources: what the API keeps besides executions (state machines, versions, aliases, activities), as JSON documents.

A document is named by its kind and key and has a revision that counts its writes. A write is a set of changes, each
naming the revision that it expects; all of them happen or none. So two callers who read, decide and write cannot undo
each other's work: the second gets a Conflict and starts again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from asl_engine.errors import Conflict

# What json gives back: its shape is known to whoever keeps documents of the kind.
Document: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A document as it is kept. `revision` is 1 for one that was written once."""

    kind: str
    key: str
    revision: int
    document: Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What to write: `revision` is that of the document to replace, 0 for a new one; `document` None removes it.

    From `expires_at`, epoch seconds, on a store may forget the document; None: never.
    """

    kind: str
    key: str
    revision: int
    document: Document | None
    expires_at: int | None = None


class ResourceStore(Protocol):
    """Keeps documents. Every method may raise StoreUnavailable or StoreCorrupt."""

    async def get(self, kind: str, key: str) -> Resource | None:
        """The document, if there is one."""

    async def write(self, *changes: Change) -> None:
        """Make all changes durable. Raises Conflict, and changes nothing, if one finds another revision."""

    async def list(
        self, kind: str, *, prefix: str = "", after: str = "", limit: int | None = None
    ) -> Sequence[Resource]:
        """The documents of a kind whose key starts with `prefix` and comes behind `after`, in order of their keys."""


def created(kind: str, key: str, document: Document, *, expires_at: int | None = None) -> Change:
    """A document that must not exist yet."""
    return Change(kind=kind, key=key, revision=0, document=document, expires_at=expires_at)


def replaced(resource: Resource, document: Document, *, expires_at: int | None = None) -> Change:
    """Another document in the place of this one."""
    kind, key, revision = resource.kind, resource.key, resource.revision
    return Change(kind=kind, key=key, revision=revision, document=document, expires_at=expires_at)


def removed(resource: Resource) -> Change:
    """This document no more."""
    return Change(kind=resource.kind, key=resource.key, revision=resource.revision, document=None)


def check_revision(change: Change, found: int) -> None:
    """Raises Conflict unless the change expects what is there."""
    if change.revision != found:
        raise Conflict(f"{change.kind} {change.key} has revision {found}, not {change.revision}: read it again")
