from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from asl_engine.aws.job_links import StoredJobLinks
from asl_engine.aws.nested_jobs import NestedJobs, Parents
from asl_engine.interpreter.execution import ExecutionStatus
from asl_engine.json_value import JsonObject
from asl_engine.runtime.jobs import JobLink, MemoryJobLinks
from asl_engine.runtime.queued.ports import Backlog, Message
from asl_engine.runtime.tasks import Failed, Submitted, Succeeded, TaskCall
from tests.api.services import MACHINE, Caller, asking, passing, service
from tests.runtime.task_calls import task_call

SYNC = "arn:aws:states:::states:startExecution.sync"
CHILD = MACHINE.replace(":stateMachine:", ":execution:")
ACTIVITY = MACHINE.replace(":stateMachine:orders", ":activity:review")


class Nested:
    """Child executions of the machine `orders`, on a service in memory."""

    def __init__(self) -> None:
        self.caller = Caller(service())
        self.links = StoredJobLinks(self.caller.service.resources, self.caller.service.clock)
        self.jobs = NestedJobs(self.links)
        self.jobs.attach(self.caller.service)

    async def status(self, name: str) -> ExecutionStatus:
        return (await self.caller.service.execution(f"{CHILD}:{name}")).status


def story(told: Callable[[Nested], Awaitable[None]]) -> Callable[[], None]:
    def test() -> None:
        async def run() -> None:
            nested = Nested()
            await asyncio.wait_for(told(nested), 30)
            await nested.caller.service.host.close()

        asyncio.run(run())

    test.__doc__ = told.__doc__
    return test


async def waiting(caller: Caller) -> str:
    """Create a machine that waits for a worker."""
    await caller("CreateActivity", name="review")
    return await caller.create(asking(ACTIVITY))


def starting(name: str | None = None, *, machine: str = MACHINE) -> TaskCall:
    arguments: JsonObject = {"StateMachineArn": machine}
    if name is not None:
        arguments["Name"] = name
    return task_call(SYNC, arguments)


@pytest.mark.parametrize(
    ("resource", "handled"), [(SYNC, True), (f"{SYNC}:2", True), (SYNC.removesuffix(".sync"), False), (ACTIVITY, False)]
)
def test_only_children_that_are_waited_for_are_jobs(resource: str, handled: bool) -> None:
    assert Nested().jobs.handles(task_call(resource, {})) is handled


@story
async def test_a_child_that_runs_is_submitted_and_looked_at_until_it_has_ended(nested: Nested) -> None:
    await waiting(nested.caller)
    call = starting("c")

    submitted = await nested.jobs.submit(call)
    assert isinstance(submitted, Submitted)
    assert isinstance(submitted.output, dict)
    assert submitted.output["ExecutionArn"] == f"{CHILD}:c"
    assert await nested.links.link_of(f"{CHILD}:c") == JobLink.of(call)
    assert await nested.jobs.look(call) is None

    assert await nested.jobs.stop(call) is None
    assert await nested.status("c") is ExecutionStatus.ABORTED
    ended = await nested.jobs.look(call)
    assert isinstance(ended, Failed)
    assert ended.error == "States.TaskFailed"


@story
async def test_an_attempt_that_is_submitted_again_finds_its_child_even_if_it_has_ended(nested: Nested) -> None:
    """Its runner died before it could say that the child was started."""
    await nested.caller.create(passing())
    for call in (starting("given"), starting()):
        first = await nested.jobs.submit(call)
        again = await nested.jobs.submit(call)
        assert first == again
        assert isinstance(again, Succeeded)


@story
async def test_a_name_that_is_taken_by_another_execution_fails_the_task(nested: Nested) -> None:
    """However often the attempt is performed."""
    machine = await nested.caller.create(passing())
    await nested.caller.ended(
        (await nested.caller("StartExecution", stateMachineArn=machine, name="c"))["executionArn"]
    )

    for _ in range(2):
        refused = await nested.jobs.submit(starting("c"))
        assert isinstance(refused, Failed)
        assert refused.error == "StepFunctions.ExecutionAlreadyExistsException"


@story
async def test_an_attempt_that_was_refused_stops_nobody_else_s_execution(nested: Nested) -> None:
    machine = await waiting(nested.caller)
    await nested.caller("StartExecution", stateMachineArn=machine, name="c", input='{"somebody": "else"}')
    assert isinstance(await nested.jobs.submit(starting("c")), Failed)

    assert await nested.jobs.stop(starting("c")) is None
    assert await nested.status("c") is ExecutionStatus.RUNNING


@story
async def test_an_execution_of_that_name_and_input_that_runs_already_is_waited_for(nested: Nested) -> None:
    """As StartExecution does."""
    machine = await waiting(nested.caller)
    started = await nested.caller("StartExecution", stateMachineArn=machine, name="c")

    assert isinstance(await nested.jobs.submit(starting("c")), Submitted)
    assert await nested.links.link_of(started["executionArn"]) == JobLink.of(starting("c"))


@story
async def test_a_request_that_names_no_machine_fails_the_task(nested: Nested) -> None:
    for machine in ("orders", MACHINE):
        refused = await nested.jobs.submit(starting(machine=machine))
        assert isinstance(refused, Failed)
        assert refused.error.startswith("StepFunctions.")
        assert await nested.jobs.stop(starting(machine=machine)) is None
    assert await nested.jobs.look(starting()) is None


class Sent:
    """A queue that keeps what it was given."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def send(self, message: Message) -> None:
        self.messages.append(message)

    async def send_at(self, message: Message, at: int, now: int) -> None:
        raise AssertionError("nothing is to be held back")

    async def extend(self, receipts: Sequence[str], seconds: int) -> None:
        raise AssertionError("nothing was received")

    async def backlog(self) -> Backlog:
        raise AssertionError("nobody sweeps here")


@story
async def test_only_a_parent_that_still_waits_is_told(nested: Nested) -> None:
    service, queue = nested.caller.service, Sent()
    parents = Parents(nested.links, service.executions, queue)
    await waiting(nested.caller)
    started = await nested.caller("StartExecution", stateMachineArn=MACHINE, name="child")
    child = await service.execution(started["executionArn"])

    await parents.tell(child)  # it has none
    await nested.links.put(child.arn, JobLink(execution_arn=f"{CHILD}:gone", frame_id="0", wait_id=1))
    await parents.tell(child)  # its parent is gone
    other = await service.execution(
        (await nested.caller("StartExecution", stateMachineArn=MACHINE, name="other"))["executionArn"]
    )
    await nested.links.put(other.arn, JobLink(execution_arn=child.arn, frame_id="0", wait_id=99))
    await parents.tell(other)  # its parent waits for something else

    assert queue.messages == []


class CountingLinks(MemoryJobLinks):
    """Every put is two writes, also one that finds a link."""

    puts = 0

    async def put(self, job_key: str, link: JobLink) -> None:
        self.puts += 1
        await super().put(job_key, link)


def test_a_child_is_linked_once() -> None:
    async def story() -> int:
        caller, links = Caller(service()), CountingLinks()
        jobs = NestedJobs(links)
        jobs.attach(caller.service)
        await waiting(caller)
        for _ in range(2):
            assert isinstance(await jobs.submit(starting("c")), Submitted)
        await caller.service.host.close()
        return links.puts

    assert asyncio.run(story()) == 1
