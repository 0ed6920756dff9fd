"""Copies of one message, and other runners, at the same time: one of each two records gets through."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from asl_engine.errors import Conflict
from asl_engine.interpreter.events import (
    ActivityStarted,
    Event,
    StopRequested,
    TaskHeartbeat,
    TaskSubmitted,
    TaskSucceeded,
)
from asl_engine.interpreter.execution import ExecutionStatus, TaskAttempt
from asl_engine.json_value import JsonObject
from asl_engine.language.definition import StateMachine
from asl_engine.runtime.queued.host import QueuedHost
from asl_engine.runtime.queued.ports import Message, Received
from asl_engine.runtime.tasks import Failed, Submitted, Taken, TaskCall, TaskResult
from asl_engine.store.journal import Record
from tests.runtime.queued.stores import RacingStore
from tests.runtime.queued.worlds import (
    CALLBACK,
    NOON,
    SECOND,
    CountingStore,
    Tasks,
    World,
    chain,
    complete,
    request,
    task,
    wait,
)

ARN = request().execution_arn
ACTIVITY = "arn:aws:states:us-east-1:123456789012:activity:paint"


class YieldingStore(CountingStore):
    """Lets others go first at every write."""

    async def append(self, record: Record) -> None:
        await asyncio.sleep(0)
        await super().append(record)


class NeverFirst(CountingStore):
    """Somebody is always faster."""

    async def append(self, record: Record) -> None:
        if record.sequence > 0:
            raise Conflict("too late")
        await super().append(record)


@pytest.mark.parametrize("machine", [chain(task(), task(), wait(5), task()), chain(wait(5), task())])
def test_two_runners_with_the_same_messages_write_each_record_once(machine: StateMachine) -> None:
    async def story() -> World:
        world = World(store=YieldingStore())
        await world.start(machine)
        while world.queue.messages:
            received = world.queue.receive()
            if not received:
                world.clock.start_at(min(each.visible_at for each in world.queue.messages))
                continue
            deadline = world.clock.now() + world.lambda_time
            runners = [QueuedHost(world.wire()).handle(received, deadline) for _ in range(2)]
            for done in await asyncio.gather(*runners):
                world.queue.acknowledge(done)
        return world

    world = complete(story)

    assert world.execution().status is ExecutionStatus.SUCCEEDED
    assert [each.sequence for each in world.watching.records] == list(range(len(world.watching.records)))
    assert set(world.ended) == {"run"}


def test_a_runner_that_is_never_first_gives_up_for_now() -> None:
    async def story() -> World:
        world = World(store=NeverFirst())
        await world.start(chain(task()))
        await world.step()
        world.clock.begin()
        with pytest.raises(Conflict, match="send the request again"):
            await world.host.deliver(ARN, StopRequested())
        return world

    world = complete(story)

    [(kind, error)] = world.watching.told
    assert kind == "failed"
    assert error.startswith(f"Conflict: lost 20 races for execution {ARN}")
    assert len(world.queue.messages) == 2
    assert len(world.watching.races) == 40  # a runner's and a request's, though neither wrote a record
    assert world.store.calls["load"] == 3
    assert world.store.calls["catch up"] == 39
    assert world.clock.now() == NOON + 6_510  # by the pauses of the request, from 2 to 500 ms each


def test_a_lost_race_is_told_although_no_record_comes_of_it() -> None:
    async def story() -> World:
        store = RacingStore()
        world = World(store=store)
        await world.start(chain(task(CALLBACK)))
        await world.run()

        async def stop() -> None:
            await world.host.deliver(ARN, StopRequested())

        store.race = stop
        world.clock.begin()
        assert not (await world.host.deliver(ARN, StopRequested())).applied
        return world

    world = complete(story)

    assert world.watching.races == [world.execution().sequence]


@pytest.mark.parametrize("seed", ["seed", "another"])
def test_an_engine_that_begins_too_late_goes_on_with_what_is_there(seed: str) -> None:
    """The API writes record 0 just before the engine would, of this request or of another one."""

    async def story() -> World:
        store = RacingStore()
        world = World(store=store)
        definition = await world.wiring.definitions.put(machine := chain(task()))
        message = Message(
            execution_arn=ARN, owner="early", start=request(), definition_sha256=definition.machine.sha256
        )
        await world.queue.send(message)

        async def begin() -> None:
            await world.host.start(machine, request(seed=seed))

        store.race = begin
        await world.run()
        return world

    world = complete(story)

    assert world.execution().status is ExecutionStatus.SUCCEEDED
    assert world.execution().seed == seed
    assert world.tasks.performed == ["S0"]
    assert world.queue.messages == []


def test_a_start_that_lost_its_name_leaves_the_other_alone() -> None:
    async def story() -> World:
        world = World()
        await world.start(chain(wait(60)))
        await world.run(until=NOON)
        lost = Message(execution_arn=ARN, owner="lost", start=request(seed="another"), definition_sha256="none")
        await world.queue.send(lost)
        written = len(world.watching.records)
        await world.run(until=NOON)
        assert len(world.watching.records) == written
        return world

    assert len(complete(story).queue.messages) == 1


def test_of_two_answers_in_one_batch_the_first_counts() -> None:
    async def story() -> World:
        world = World()
        await world.start(chain(task(CALLBACK)))
        await world.run(until=NOON)
        waiting = world.execution().frames["0"].wait
        assert isinstance(waiting, TaskAttempt)
        for output in "first", "second":
            event = TaskSucceeded("0", waiting.wait_id, output)
            await world.queue.send(Message(execution_arn=ARN, owner=output, event=event))
        await world.run()
        return world

    world = complete(story)

    assert world.execution().output == "first"
    newest = world.store.journal(ARN)[-1]
    assert newest.owner == "first"
    assert len(newest.events) == 1
    assert world.execution().ignored_events == 0


def test_what_is_said_twice_about_an_open_attempt_writes_nothing() -> None:
    async def story() -> None:
        world = World()
        await world.start(chain(task(CALLBACK, TimeoutSeconds=60)))
        await world.run(until=NOON)
        waiting = world.execution().frames["0"].wait
        assert isinstance(waiting, TaskAttempt)
        event = TaskSubmitted("0", waiting.wait_id, {})
        await world.queue.send(Message(execution_arn=ARN, owner="again", event=event))
        written = world.execution().sequence
        await world.run(until=NOON)
        assert world.execution().sequence == written

    complete(story)


def test_a_record_that_is_written_during_the_recovery_is_taken_into_account() -> None:
    async def story() -> World:
        store = InterruptedStore()
        world = World(store=store)
        await world.start(chain(task(CALLBACK, TimeoutSeconds=60), wait(5)))
        await world.run(until=NOON)
        waiting = world.execution().frames["0"].wait
        assert isinstance(waiting, TaskAttempt)
        answer = TaskSucceeded("0", waiting.wait_id, "yes")

        async def another() -> None:
            await world.host.deliver(ARN, answer)

        store.interruption = another
        await world.queue.send(Message(execution_arn=ARN, owner="m1", after=0))
        await world.run()
        return world

    assert complete(story).execution().status is ExecutionStatus.SUCCEEDED


class InterruptedStore(CountingStore):
    """Before the records are read, somebody writes one: once."""

    interruption: Callable[[], Awaitable[None]] | None = None

    async def records(self, execution_arn: str, *, newest_first: bool = True) -> AsyncIterator[Record]:
        interruption, self.interruption = self.interruption, None
        if interruption is not None:
            await interruption()
        async for record in super().records(execution_arn, newest_first=newest_first):
            yield record


def again(message: Message) -> Received:
    """A copy of a message that another runner has acknowledged."""
    return Received(message=message, id="copy", receipt="copy", deliveries=2, sent_at=NOON)


@pytest.mark.parametrize(
    ("state", "say"), [(task(ACTIVITY), ActivityStarted), (task(CALLBACK, HeartbeatSeconds=60), TaskHeartbeat)]
)
def test_a_runner_bases_nothing_on_an_event_that_was_consumed(
    state: JsonObject, say: Callable[[str, int], Event]
) -> None:
    """Its clock says that the task is late; but the message is acknowledged, and nobody would go on after it."""

    async def story() -> None:
        world = World(Tasks({"S0": Taken() if say is ActivityStarted else Submitted({})}))
        await world.start(chain({**state, "TimeoutSeconds": 600}))
        await world.run(until=NOON)
        waiting = world.execution().frames["0"].wait
        assert isinstance(waiting, TaskAttempt)
        message = Message(execution_arn=ARN, owner="twice", event=say("0", waiting.wait_id))
        await world.queue.send(message)
        await world.run(until=NOON)
        consumed = world.execution()
        assert "twice" in world.store.journal(ARN)[-1].owner
        world.clock.start_at(NOON + 700 * SECOND)
        await world.host.handle([again(message)], world.clock.now() + world.lambda_time)
        assert world.execution() == consumed

    complete(story)


def test_a_result_that_comes_after_its_attempt_was_submitted_is_a_message_of_its_own() -> None:
    """Of two runners that ask for the same thing, one was quicker; its message may be acknowledged."""

    async def story() -> World:
        async def slow(call: TaskCall) -> TaskResult:
            await world.host.deliver(ARN, TaskSubmitted("0", call.attempt.wait_id, {}))
            return Failed("Refused", "too many requests")

        world = World(Tasks({"S0": slow}))
        await world.start(chain(task(CALLBACK)))
        await world.run()
        return world

    world = complete(story)

    first, *_, newest = world.store.journal(ARN)
    assert world.execution().error == "Refused"
    assert newest.owner != first.owner
    assert newest.owner in {message.owner for message in world.queue.sent if message.event is not None}
