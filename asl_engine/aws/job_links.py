"""Which job belongs to which attempt, kept beside the executions: a job's event reaches another process.

A kind of documents is one partition key, which bears 1,000 writes a second, and every job and child writes: so the
links are of 256 kinds. Nobody lists them. A link is found as long as any job may run that began with it: for a year.
"""

from __future__ import annotations

import contextlib
import hashlib
from typing import Final

from asl_engine.errors import Conflict
from asl_engine.runtime.clock import Clock
from asl_engine.runtime.jobs import JobLink
from asl_engine.store.resources import Document, ResourceStore, created

_LINK: Final = "job-link"
_JOB: Final = "job"
_LONGEST_JOB_DAYS: Final = 366
_DAY_SECONDS: Final = 86_400


class StoredJobLinks:
    """`JobLinks` as documents, one for each way. `expire_days` later than any job ends they expire."""

    def __init__(self, resources: ResourceStore, clock: Clock, expire_days: int | None = None) -> None:
        self._resources, self._clock, self._expire_days = resources, clock, expire_days

    async def put(self, job_arn: str, link: JobLink) -> None:
        """See JobLinks."""
        document = {"executionArn": link.execution_arn, "frameId": link.frame_id, "waitId": link.wait_id}
        await self._create(_LINK, job_arn, document)
        await self._create(_JOB, _key(link), {"jobArn": job_arn})

    async def link_of(self, job_arn: str) -> JobLink | None:
        """See JobLinks."""
        found = await self._resources.get(_kind(_LINK, job_arn), job_arn)
        if found is None:
            return None
        document = found.document
        return JobLink(execution_arn=document["executionArn"], frame_id=document["frameId"], wait_id=document["waitId"])

    async def job_of(self, link: JobLink) -> str | None:
        """See JobLinks."""
        found = await self._resources.get(_kind(_JOB, _key(link)), _key(link))
        return None if found is None else str(found.document["jobArn"])

    async def _create(self, kind: str, key: str, document: Document) -> None:
        with contextlib.suppress(Conflict):  # it was put before: the same, as the attempt has one job
            await self._resources.write(created(_kind(kind, key), key, document, expires_at=self._expires_at()))

    def _expires_at(self) -> int | None:
        if self._expire_days is None:
            return None
        return self._clock.now() // 1000 + (_LONGEST_JOB_DAYS + self._expire_days) * _DAY_SECONDS


def _kind(kind: str, key: str) -> str:
    return f"{kind}#{_digest(key)[:2]}"


def _key(link: JobLink) -> str:
    return _digest(f"{link.execution_arn}/{link.frame_id}/{link.wait_id}")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
