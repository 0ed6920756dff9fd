"""Bugs with jobs that a host driven by a queue could have: whose stop, look or link goes wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from asl_engine.integrations.aws_jobs import AwsJobs
from asl_engine.interpreter.commands import CancelTask
from asl_engine.interpreter.execution import Execution
from asl_engine.runtime.jobs import JobLink
from asl_engine.runtime.queued import moments, tenure
from asl_engine.runtime.queued.recovery import Recovered
from asl_engine.runtime.queued.tenure import Tenure
from asl_engine.runtime.queued.work import Work
from asl_engine.runtime.tasks import Failed, Submitted, TaskCall, TaskResult


def never_stop_a_job(patch: pytest.MonkeyPatch) -> None:
    """A job whose result no longer counts runs on."""

    def drop(self: Work, call: TaskCall) -> None:
        self._drop((call.frame_id, call.attempt.wait_id))

    patch.setattr(Work, "cancel", drop)


def never_look_at_jobs(patch: pytest.MonkeyPatch) -> None:
    """A job whose event is lost is waited for in vain."""
    patch.setattr(moments, "is_open_job", lambda _frame, _definition: False)


def stop_what_is_still_being_submitted(patch: pytest.MonkeyPatch) -> None:
    """A job is told to stop while the request to start it is on its way."""
    stopping = Work._stopping

    async def at_once(self: Work, jobs: Any, call: TaskCall, held: Any) -> None:
        if held is not None:
            held.let_go()
        await stopping(self, jobs, call, None)

    patch.setattr(Work, "_stopping", at_once)


def look_before_the_link_is_written(patch: pytest.MonkeyPatch) -> None:
    """A job that ends between the look and the link is seen by nobody, and its event finds no link."""

    async def submit(self: AwsJobs, call: TaskCall) -> TaskResult:
        started = await self.start(call)
        if isinstance(started, Failed):
            return started
        result = await self.look(call)
        await self._links.put(started.job_key, JobLink.of(call))
        return result or Submitted(started.output)

    patch.setattr(AwsJobs, "submit", submit)


def stop_only_what_ones_own_record_cancelled(patch: pytest.MonkeyPatch) -> None:
    """That another runner cancelled a job which this one was submitting is taken to mean that it was stopped."""
    recover = tenure.recover  # type: ignore[attr-defined]

    async def without_theirs(store: Any, execution: Execution, owners: frozenset[str], **options: Any) -> Recovered:
        found = await recover(store, execution, owners, **options)
        ours = [
            command
            async for record in store.records(execution.arn)
            if owners.intersection(record.owner.split())
            for command in record.commands
            if isinstance(command, CancelTask)
        ]
        return replace(found, cancels=tuple(each for each in found.cancels if each in ours))

    patch.setattr(tenure, "recover", without_theirs)
    patch.setattr(Recovered, "cancelled_early", lambda _self, _job_states: False)
    patch.setattr(Work, "keep", lambda self, is_open: [self._drop(key) for key in self.in_hand if not is_open(key)])


def hand_over_while_jobs_are_being_stopped(patch: pytest.MonkeyPatch) -> None:
    """The next runner gets what is open, and nobody what was being stopped or started."""
    patch.setattr(Work, "has_requests_under_way", False)


def leave_while_jobs_are_being_stopped(patch: pytest.MonkeyPatch) -> None:
    """A runner whose time is over acknowledges, though jobs are still being stopped."""

    async def leave(self: Tenure) -> None:
        while self._work.is_stopping and not self._is_late:
            await self._rest()

    patch.setattr(Tenure, "_finish_stopping", leave)
