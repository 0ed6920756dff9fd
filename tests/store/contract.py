"""What every ExecutionStore promises. A store's test module subclasses StoreContract and says how to open one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from asl_engine.errors import (
    Conflict,
    ExecutionClaimed,
    ExecutionDoesNotExist,
    StoreCorrupt,
    StoreUnavailable,
)
from asl_engine.interpreter.events import Event, StopRequested, TaskFailed, TaskHeartbeat, TaskSucceeded
from asl_engine.interpreter.execution import Execution, ExecutionStatus
from asl_engine.interpreter.history import HistoryEvent
from asl_engine.store.journal import KEYFRAME_RECORDS_MIN, record_of
from asl_engine.store.protocol import ExecutionStore, ExecutionSummary
from tests.store.journals import EVENTS_PER_TASK, MACHINE_ARN, NOON, arn_of, followed, journal_of, started, task_done

Story: TypeAlias = Callable[[Any, ExecutionStore], Awaitable[None]]
Test: TypeAlias = "Callable[[StoreContract, Path], None]"

FIRST = arn_of("first")


def story(told: Story) -> Test:
    """Make a test of a coroutine that is given an open store."""

    def test(self: StoreContract, tmp_path: Path) -> None:
        async def tell() -> None:
            store = self.open(tmp_path)
            try:
                await told(self, store)
            finally:
                await store.close()

        asyncio.run(tell())

    test.__doc__ = told.__doc__
    return test


async def append_all(store: ExecutionStore, name: str, tasks: int) -> Execution:
    """Write a journal, a record after the other."""
    records, execution = journal_of(name, tasks)
    for record in records:
        await store.append(record)
    return execution


async def ids(store: ExecutionStore, *, after: int = 0, reverse: bool = False) -> list[int]:
    return [event.id async for event in store.history(FIRST, after=after, reverse=reverse)]


class StoreContract:
    """The suite. `open` gives a store whose data, if it outlives the store, is in the directory."""

    def open(self, directory: Path) -> ExecutionStore:
        raise NotImplementedError

    # Appending and loading

    @story
    async def test_what_was_appended_is_folded_when_loaded(self, store: ExecutionStore) -> None:
        execution = await append_all(store, "first", tasks=5)
        assert await store.load(FIRST) == execution

    @story
    async def test_loading_starts_at_the_newest_keyframe(self, store: ExecutionStore) -> None:
        outcome = started()
        await store.append(record_of(outcome))
        for number in range(6):
            outcome = task_done(outcome.execution, {"task": number})
            await store.append(record_of(outcome, keyframe=number == 3))
        assert await store.load(FIRST) == outcome.execution

    @story
    async def test_what_is_held_is_caught_up_with_and_stays_as_it_was(self, store: ExecutionStore) -> None:
        held = await append_all(store, "first", tasks=2)
        before, outcome = await store.load(FIRST), task_done(held)
        for number in range(5):
            await store.append(record_of(outcome, keyframe=number == 3))
            newest, outcome = outcome.execution, task_done(outcome.execution)
        assert await store.load(FIRST, held) == newest
        assert held == before
        assert await store.load(FIRST, newest) == newest
        await store.append(record_of(outcome))
        assert await store.load(FIRST) == outcome.execution

    @story
    async def test_a_keyframe_is_due_after_enough_records_and_then_no_more(self, store: ExecutionStore) -> None:
        execution = await append_all(store, "first", tasks=0)
        while not store.keyframe_due(FIRST):
            outcome = task_done(execution, {"task": execution.sequence})
            await store.append(record_of(outcome))
            execution = outcome.execution
        assert execution.sequence >= KEYFRAME_RECORDS_MIN
        await store.append(record_of(task_done(execution), keyframe=True))
        assert not store.keyframe_due(FIRST)

    @story
    async def test_no_keyframe_is_due_for_an_unknown_execution(self, store: ExecutionStore) -> None:
        assert not store.keyframe_due(FIRST)

    @story
    async def test_the_first_writer_of_a_sequence_number_wins(self, store: ExecutionStore) -> None:
        execution = await append_all(store, "first", tasks=1)
        winner = task_done(execution, "winner")
        await store.append(record_of(winner))
        await store.send(FIRST, StopRequested())
        (message,) = await store.inbox(FIRST)
        with pytest.raises(Conflict):
            await store.append(record_of(task_done(execution, "loser"), consumed=[message.id]))
        assert await store.load(FIRST) == winner.execution
        assert await store.inbox(FIRST) == [message]

    @story
    async def test_a_writer_that_is_far_behind_loses(self, store: ExecutionStore) -> None:
        execution = await append_all(store, "first", tasks=5)
        records, _execution = journal_of("first", tasks=3)
        for late in records:
            with pytest.raises(Conflict):
                await store.append(late)
        assert await store.load(FIRST) == execution

    @story
    async def test_of_many_appends_of_one_sequence_number_exactly_one_wins(self, store: ExecutionStore) -> None:
        execution = await append_all(store, "first", tasks=1)
        rivals = [task_done(execution, {"rival": number}) for number in range(40)]
        ends = await asyncio.gather(*[store.append(record_of(rival)) for rival in rivals], return_exceptions=True)
        (winner,) = [rival for rival, end in zip(rivals, ends, strict=True) if end is None]
        assert sum(isinstance(end, Conflict) for end in ends) == 39
        assert await store.load(FIRST) == winner.execution

    @story
    async def test_a_conflict_spoils_nothing_for_appends_beside_it(self, store: ExecutionStore) -> None:
        names = [f"run-{number}" for number in range(30)]
        starts = [record_of(started(name)) for name in names]
        ends = await asyncio.gather(*[store.append(r) for r in starts + starts], return_exceptions=True)
        for one, other in zip(ends[:30], ends[30:], strict=True):  # whichever arrives first
            assert {type(one), type(other)} == {type(None), Conflict}
        assert {summary.name for summary in await store.executions()} == set(names)

    @story
    async def test_an_execution_starts_once(self, store: ExecutionStore) -> None:
        await store.append(record_of(started()))
        with pytest.raises(Conflict):
            await store.append(record_of(started()))

    @story
    async def test_a_gap_is_refused(self, store: ExecutionStore) -> None:
        """It could never be folded: whoever asks for one is in error about what is durable."""
        records, _execution = journal_of("first", tasks=3)
        await store.append(records[0])
        with pytest.raises(AssertionError):
            await store.append(records[2])
        assert (await store.load(FIRST)).sequence == 0

    @story
    async def test_an_unknown_execution_does_not_exist(self, store: ExecutionStore) -> None:
        records, _execution = journal_of("first", tasks=1)
        for attempt in (
            store.append(records[1]),
            store.load(FIRST),
            store.named("first"),
            store.send(FIRST, StopRequested()),
            store.inbox(FIRST),
            ids(store),
            ids(store, after=7),
            anext(aiter(store.records(FIRST))),
        ):
            with pytest.raises(ExecutionDoesNotExist, match=r"Execution Does Not Exist: '(arn:aws:.*:)?first'"):
                await attempt

    # Listing

    @story
    async def test_a_listing_goes_on_behind_an_execution(self, store: ExecutionStore) -> None:
        for number in range(5):
            await store.append(record_of(started(f"run-{number}", at=NOON + number)))

        async def names(before: str | None) -> list[str]:
            page = await store.executions(state_machine_arn=MACHINE_ARN, before=before, limit=2)
            return [summary.name for summary in page]

        assert await names(None) == ["run-4", "run-3"]
        assert await names(arn_of("run-3")) == ["run-2", "run-1"]
        assert await names(arn_of("run-1")) == ["run-0"]
        with pytest.raises(ExecutionDoesNotExist):
            await names(arn_of("none"))

    @story
    async def test_a_listing_is_of_a_machine_a_version_or_an_alias(self, store: ExecutionStore) -> None:
        await store.append(record_of(started("plain")))
        await store.append(
            record_of(started("routed", state_machine_version_arn="version", state_machine_alias_arn="alias"))
        )
        await store.append(record_of(started("other", state_machine_arn="another")))

        async def names(**conditions: str) -> list[str]:
            return [summary.name for summary in await store.executions(**conditions)]  # type: ignore[arg-type]

        assert await names(state_machine_arn=MACHINE_ARN) == ["routed", "plain"]
        assert await names(qualified_arn="version") == await names(qualified_arn="alias") == ["routed"]
        (routed,) = await store.executions(qualified_arn="alias")
        assert (routed.state_machine_version_arn, routed.state_machine_alias_arn) == ("version", "alias")

    @story
    async def test_only_those_for_whom_events_wait_are_addressees(self, store: ExecutionStore) -> None:
        await store.append(record_of(started("first")))
        await store.append(record_of(started("second")))
        assert await store.addressees() == []
        await store.send(FIRST, StopRequested())
        assert await store.addressees() == [FIRST]

    # History

    @story
    async def test_history_goes_on_after_an_id_wherever_records_end(self, store: ExecutionStore) -> None:
        last = (await append_all(store, "first", tasks=100)).last_event_id
        assert last == 100 * EVENTS_PER_TASK
        await append_all(store, "second", tasks=2)
        for after in (0, 1, 2, 3, 150, last - 1, last, last + 1):
            assert await ids(store, after=after) == list(range(after + 1, last + 1))

    @story
    async def test_reversed_history_goes_back_from_below_an_id(self, store: ExecutionStore) -> None:
        last = (await append_all(store, "first", tasks=100)).last_event_id
        assert await ids(store, reverse=True) == list(range(last, 0, -1))
        for after in (1, 2, 3, 4, 150, last, last + 1):
            assert await ids(store, after=after, reverse=True) == list(range(min(after - 1, last), 0, -1))

    @story
    async def test_history_events_are_read_as_they_were_written(self, store: ExecutionStore) -> None:
        written = (
            HistoryEvent(1, 0, "ExecutionStarted", NOON, {"input": {"order": 7}, "roleArn": "role"}),
            HistoryEvent(2, 1, "PassStateExited", NOON, {"name": "Set", "assignedVariables": {"x": [1, 2.0]}}),
            HistoryEvent(3, 2, "ExecutionSucceeded", NOON + 5, None),
        )
        await store.append(record_of(started(history=written, last_event_id=3)))
        assert tuple([event async for event in store.history(FIRST)]) == written

    @story
    async def test_a_record_without_history_is_passed_over(self, store: ExecutionStore) -> None:
        execution = await append_all(store, "first", tasks=1)
        ignored = followed(execution, ignored_events=1)
        await store.append(record_of(ignored))
        await store.append(record_of(task_done(ignored.execution)))
        assert await ids(store) == [1, 2, 3, 4, 5, 6]
        assert await ids(store, reverse=True) == [6, 5, 4, 3, 2, 1]

    @story
    async def test_reading_history_may_stop_early(self, store: ExecutionStore) -> None:
        await append_all(store, "first", tasks=3)
        async for event in store.history(FIRST):
            assert event.id == 1
            break
        await store.append(record_of(started("second")))

    # Listing

    @story
    async def test_executions_are_listed_newest_first(self, store: ExecutionStore) -> None:
        for name, at in (("old", NOON), ("new", NOON + 2), ("middle", NOON + 1)):
            await store.append(record_of(started(name, at=at)))
        assert [summary.name for summary in await store.executions()] == ["new", "middle", "old"]

    @story
    async def test_executions_of_one_millisecond_are_each_listed_once(self, store: ExecutionStore) -> None:
        names = {f"run-{number}" for number in range(30)}
        for name in sorted(names):
            await store.append(record_of(started(name)))
        listed: list[str] = []
        while page := await store.executions(
            state_machine_arn=MACHINE_ARN, before=arn_of(listed[-1]) if listed else None, limit=7
        ):
            listed += [summary.name for summary in page]
        assert (len(listed), set(listed)) == (30, names)

    # Records

    @story
    async def test_records_are_read_as_they_were_appended(self, store: ExecutionStore) -> None:
        records, _execution = journal_of("first", tasks=150)
        for record in records:
            await store.append(record)
        newest_first = [record async for record in store.records(FIRST)]
        assert newest_first == records[::-1]
        assert [record async for record in store.records(FIRST, newest_first=False)] == records

    @story
    async def test_reading_records_may_stop_early(self, store: ExecutionStore) -> None:
        await append_all(store, "first", tasks=3)
        async for record in store.records(FIRST):
            assert record.sequence == 3
            break
        await store.append(record_of(started("second")))

    @story
    async def test_a_listing_follows_the_status(self, store: ExecutionStore) -> None:
        execution = await append_all(store, "first", tasks=1)
        await append_all(store, "second", tasks=0)
        end = followed(execution, frames={}, status=ExecutionStatus.SUCCEEDED, stopped_at=NOON + 9)
        await store.append(record_of(end))
        expected = ExecutionSummary(
            arn=FIRST,
            name="first",
            state_machine_arn=MACHINE_ARN,
            status=ExecutionStatus.SUCCEEDED,
            started_at=NOON,
            stopped_at=NOON + 9,
        )
        assert await store.executions(ExecutionStatus.SUCCEEDED) == [expected]
        assert [summary.name for summary in await store.executions(ExecutionStatus.RUNNING)] == ["second"]
        assert await store.executions(ExecutionStatus.FAILED) == []

    @story
    async def test_a_redriven_execution_is_listed_as_running(self, store: ExecutionStore) -> None:
        failed = started(status=ExecutionStatus.FAILED, stopped_at=NOON + 1)
        await store.append(record_of(failed))
        redriven = followed(failed.execution, status=ExecutionStatus.RUNNING, stopped_at=None, redrive_count=1)
        await store.append(record_of(redriven))
        (summary,) = await store.executions(ExecutionStatus.RUNNING)
        assert summary.stopped_at is None

    @story
    async def test_an_execution_is_found_by_name_or_arn(self, store: ExecutionStore) -> None:
        await append_all(store, "first", tasks=0)
        [by_name] = await store.named("first")
        [by_arn] = await store.named(FIRST)
        assert (by_name.arn, by_name.status) == (FIRST, ExecutionStatus.RUNNING)
        assert by_arn == by_name

    @story
    async def test_a_name_that_state_machines_share_names_them_all_newest_first(self, store: ExecutionStore) -> None:
        for machine, at in (("A", NOON), ("B", NOON + 2), ("C", NOON + 1)):
            await store.append(
                record_of(started("nightly", at=at, arn=f"arn:aws:states:::execution:{machine}:nightly"))
            )
        await append_all(store, "nightly-2", tasks=0)
        arns = [summary.arn for summary in await store.named("nightly")]
        assert arns == [f"arn:aws:states:::execution:{machine}:nightly" for machine in "BCA"]
        [one] = await store.named("arn:aws:states:::execution:C:nightly")
        assert one.arn == "arn:aws:states:::execution:C:nightly"

    # Definitions

    @story
    async def test_a_definition_is_kept_under_its_hash(self, store: ExecutionStore) -> None:
        await store.put_definition("a" * 64, '{"StartAt": "Ünïcode"}')
        await store.put_definition("a" * 64, '{"StartAt": "Ünïcode"}')
        assert await store.definition("a" * 64) == '{"StartAt": "Ünïcode"}'

    @story
    async def test_a_missing_definition_is_named(self, store: ExecutionStore) -> None:
        with pytest.raises(StoreCorrupt, match="the definition bbb is not in this store"):
            await store.definition("bbb")

    # Events from outside

    @story
    async def test_events_wait_in_the_order_they_were_sent(self, store: ExecutionStore) -> None:
        await append_all(store, "first", tasks=0)
        await append_all(store, "second", tasks=0)
        sent: list[Event] = [
            TaskSucceeded("0", 3, {"big": "x" * 3000}),
            StopRequested("why", None),
            TaskFailed("0", 4, None, None),
        ]
        for event in sent:
            await store.send(FIRST, event)
        await store.send(arn_of("second"), StopRequested())
        messages = await store.inbox(FIRST)
        assert [message.event for message in messages] == sent
        assert {message.execution_arn for message in messages} == {FIRST}

    @story
    async def test_an_event_leaves_the_inbox_with_the_record_that_consumes_it(self, store: ExecutionStore) -> None:
        execution = await append_all(store, "first", tasks=0)
        for wait_id in (1, 2, 3):
            await store.send(FIRST, TaskSucceeded("0", wait_id, None))
        first, second, third = await store.inbox(FIRST)
        await store.append(record_of(task_done(execution), consumed=[first.id, third.id]))
        assert await store.inbox(FIRST) == [second]

    @story
    async def test_the_id_of_a_consumed_message_is_not_used_again(self, store: ExecutionStore) -> None:
        """A runner that still holds the old message must not delete a new one."""
        execution = await append_all(store, "first", tasks=0)
        await store.send(FIRST, StopRequested())
        (first,) = await store.inbox(FIRST)
        await store.append(record_of(task_done(execution), consumed=[first.id]))
        await store.send(FIRST, StopRequested())
        (second,) = await store.inbox(FIRST)
        assert second.id != first.id

    @story
    async def test_of_two_answers_to_one_attempt_the_inbox_takes_the_first(self, store: ExecutionStore) -> None:
        await append_all(store, "first", tasks=0)
        first: list[Event] = [TaskSucceeded("0", 3, "yes"), TaskFailed("0", 4, None, None), TaskHeartbeat("0", 3)]
        for event in first:
            await store.send(FIRST, event)
        for second in (TaskFailed("0", 3, "no", None), TaskSucceeded("0", 3, "yes"), TaskSucceeded("0", 4, "yes")):
            with pytest.raises(Conflict, match="an answer to this attempt is on its way"):
                await store.send(FIRST, second)
        await store.send(FIRST, TaskHeartbeat("0", 3))
        assert [message.event for message in await store.inbox(FIRST)] == [*first, TaskHeartbeat("0", 3)]

    @story
    async def test_of_answers_that_race_the_inbox_takes_exactly_one(self, store: ExecutionStore) -> None:
        execution = await append_all(store, "first", tasks=0)
        answers: list[Event] = [TaskFailed("0", 3, "no", None), TaskSucceeded("0", 3, "yes")]
        taken = await asyncio.gather(*[store.send(FIRST, answer) for answer in answers], return_exceptions=True)
        assert {type(answer) for answer in taken} == {Conflict, type(None)}
        (message,) = await store.inbox(FIRST)
        assert message.event == answers[taken.index(None)]
        await store.append(record_of(task_done(execution), consumed=[message.id]))
        assert await store.inbox(FIRST) == []

    # Claims

    @story
    async def test_an_execution_is_claimed_once_until_it_is_released(self, store: ExecutionStore) -> None:
        await store.claim(FIRST)
        await store.claim(arn_of("second"))
        with pytest.raises(ExecutionClaimed, match=f"{FIRST} is already being run by this process"):
            await store.claim(FIRST)
        await store.release(FIRST)
        await store.release(FIRST)
        await store.claim(FIRST)

    # Closing

    @story
    async def test_a_closed_store_says_so(self, store: ExecutionStore) -> None:
        await append_all(store, "first", tasks=0)
        await store.close()
        await store.close()
        for attempt in (
            store.append(record_of(started("second"))),
            store.load(FIRST),
            store.executions(),
            store.definition("a"),
            store.put_definition("a", "{}"),
            store.claim(FIRST),
        ):
            with pytest.raises(StoreUnavailable, match="this store is closed; open it again"):
                await attempt

    @story
    async def test_closing_an_unused_store_is_fine(self, store: ExecutionStore) -> None:
        await store.close()


class OrderedStoreContract(StoreContract):
    """The suite, for a store whose executions of one millisecond have an order: that in which they were written."""

    @story
    async def test_of_executions_of_one_millisecond_the_last_is_newest(self, store: ExecutionStore) -> None:
        for name, at in (("old", NOON), ("new", NOON + 2), ("middle", NOON + 1), ("twin", NOON + 1)):
            await store.append(record_of(started(name, at=at)))
        assert [summary.name for summary in await store.executions()] == ["new", "twin", "middle", "old"]
        behind = await store.executions(before=arn_of("twin"))
        assert [summary.name for summary in behind] == ["middle", "old"]
