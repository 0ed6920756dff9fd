"""Which job belongs to which attempt, kept beside the executions: a job's event reaches another process."""

from __future__ import annotations

import contextlib
import hashlib
from typing import Final

from asl_engine.errors import Conflict
from asl_engine.runtime.jobs import JobLink
from asl_engine.store.resources import Document, ResourceStore, created

LINK: Final = "job-link"
JOB: Final = "job"


class StoredJobLinks:
    """`JobLinks` as documents, one for each way."""

    def __init__(self, resources: ResourceStore) -> None:
        self._resources = resources

    async def put(self, job_arn: str, link: JobLink) -> None:
        """See JobLinks."""
        document = {"executionArn": link.execution_arn, "frameId": link.frame_id, "waitId": link.wait_id}
        await self._create(LINK, job_arn, document)
        await self._create(JOB, _key(link), {"jobArn": job_arn})

    async def link_of(self, job_arn: str) -> JobLink | None:
        """See JobLinks."""
        found = await self._resources.get(LINK, job_arn)
        if found is None:
            return None
        document = found.document
        return JobLink(execution_arn=document["executionArn"], frame_id=document["frameId"], wait_id=document["waitId"])

    async def job_of(self, link: JobLink) -> str | None:
        """See JobLinks."""
        found = await self._resources.get(JOB, _key(link))
        return None if found is None else str(found.document["jobArn"])

    async def _create(self, kind: str, key: str, document: Document) -> None:
        with contextlib.suppress(Conflict):  # it was put before: the same, as the attempt has one job
            await self._resources.write(created(kind, key, document))


def _key(link: JobLink) -> str:
    named = f"{link.execution_arn}/{link.frame_id}/{link.wait_id}"
    return hashlib.sha256(named.encode("utf-8", "surrogatepass")).hexdigest()
