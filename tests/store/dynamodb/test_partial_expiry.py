"""DynamoDB deletes what has expired item by item, in any order, over days. Whatever is left, nothing comes to life."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from itertools import combinations

import pytest

from asl_engine.errors import Conflict, ExecutionDoesNotExist, StoreCorrupt
from asl_engine.interpreter.execution import Execution, ExecutionStatus
from asl_engine.interpreter.history import HistoryEvent
from asl_engine.interpreter.outcome import Outcome
from asl_engine.store.dynamodb.client import Client
from asl_engine.store.dynamodb.store import DynamoDbStore
from asl_engine.store.dynamodb.table import key
from asl_engine.store.journal import record_of
from benchmarks.cost.fake_aws import FakeAws
from benchmarks.cost.usage import Usage
from tests.store.journals import NOON, arn_of, followed, started, task_done

FIRST = arn_of("first")
LATER = NOON + 40 * 86_400_000
KEYFRAME = 2
RECORDS = 7
ITEMS = ["h", *(f"r{number:09d}" for number in range(RECORDS))]
PARTS = [part for size in range(len(ITEMS) + 1) for part in combinations(ITEMS, size)]


@dataclass
class Ended:
    """An execution that failed, was redriven and then succeeded; and a process that knows it as it was in between."""

    aws: FakeAws
    execution: Execution
    history: list[HistoryEvent]
    behind: DynamoDbStore
    unfinished: Outcome

    @classmethod
    async def journal(cls, expire_days: int | None = 30) -> Ended:
        aws = FakeAws(Usage(), at_once)
        store, behind = store_on(aws, expire_days), store_on(aws)
        history: list[HistoryEvent] = []
        outcome = started(history=[HistoryEvent(1, 0, "ExecutionStarted", NOON, {})], last_event_id=1)
        await store.append(record_of(outcome))
        history += outcome.history
        while outcome.execution.sequence < RECORDS - 1:
            outcome = following(outcome.execution)
            await store.append(record_of(outcome, keyframe=outcome.execution.sequence == KEYFRAME))
            history += outcome.history
            if outcome.execution.sequence == KEYFRAME:
                await behind.load(FIRST)
                unfinished = task_done(outcome.execution, "late")
        return cls(aws, outcome.execution, history, behind, unfinished)

    async def expire(self, part: tuple[str, ...]) -> None:
        for sort in part:
            self.aws.table.expire(FIRST, sort)


async def at_once() -> None:
    """It takes no time."""


def store_on(aws: FakeAws, expire_days: int | None = 30) -> DynamoDbStore:
    return DynamoDbStore(Client("executions", aws), expire_days=expire_days)  # type: ignore[arg-type]


def following(execution: Execution) -> Outcome:
    match execution.sequence:
        case 3:
            return followed(execution, status=ExecutionStatus.FAILED, stopped_at=NOON + 4000)
        case 4:
            return followed(execution, status=ExecutionStatus.RUNNING, stopped_at=None, redrive_count=1)
        case 5:
            return followed(execution, frames={}, status=ExecutionStatus.SUCCEEDED, stopped_at=NOON + 6000)
    return task_done(execution, {"n": execution.sequence})


def for_each_part(tell: Callable[[tuple[str, ...]], Awaitable[None]]) -> None:
    """Tell it once for each part of the items that may be gone."""

    async def tell_all() -> None:
        for part in PARTS:
            await tell(part)

    asyncio.run(tell_all())


async def told_history(store: DynamoDbStore, *, reverse: bool) -> list[HistoryEvent]:
    events = [event async for event in store.history(FIRST, reverse=reverse)]
    return events[::-1] if reverse else events


def test_whatever_is_gone_the_rest_tells_the_truth_or_does_not_exist() -> None:
    async def tell(part: tuple[str, ...]) -> None:
        ended = await Ended.journal()
        await ended.expire(part)
        store, gone = store_on(ended.aws), set(part) - {"h"}
        try:
            assert await store.load(FIRST) == ended.execution
            exists = True
        except ExecutionDoesNotExist:
            exists = False
        assert exists == (not gone & set(ITEMS[1 + KEYFRAME :]))
        for reverse in (False, True):
            try:
                assert await told_history(store, reverse=reverse) == ended.history
                assert not gone
            except ExecutionDoesNotExist:
                assert gone

    for_each_part(tell)


def test_nothing_is_appended_over_what_is_gone() -> None:
    async def tell(part: tuple[str, ...]) -> None:
        ended = await Ended.journal()
        await ended.expire(part)
        before = ended.aws.table.places()
        for store in (ended.behind, store_on(ended.aws)):
            with pytest.raises((Conflict, ExecutionDoesNotExist)):
                await store.append(replace(record_of(ended.unfinished), at=LATER))
        assert ended.aws.table.places() == before

    for_each_part(tell)


def test_an_execution_of_the_same_name_begins_anew_or_not_at_all() -> None:
    async def tell(part: tuple[str, ...]) -> None:
        ended = await Ended.journal()
        await ended.expire(part)
        store, again = store_on(ended.aws), started(at=LATER, history=ended.history[:1], last_event_id=1)
        try:
            await store.append(record_of(again))
        except Conflict:
            assert await store.load(FIRST) == ended.execution
            return
        follows = task_done(again.execution)
        await store.append(record_of(follows))
        assert await store_on(ended.aws).load(FIRST) == follows.execution
        assert [event.id async for event in store.history(FIRST)] == [1, 2, 3, 4]
        head = await store._listing.head(FIRST, consistent=True)
        assert head is not None
        assert (head.summary.status, head.summary.started_at) == (ExecutionStatus.RUNNING, LATER)

    for_each_part(tell)


def test_only_a_whole_execution_is_redriven() -> None:
    async def tell(part: tuple[str, ...]) -> None:
        ended = await Ended.journal()
        await ended.expire(part)
        store, before = store_on(ended.aws), ended.aws.table.places()
        redrive = followed(ended.execution, status=ExecutionStatus.RUNNING, stopped_at=None, redrive_count=2)
        try:
            await store.append(record_of(redrive))
        except ExecutionDoesNotExist:
            assert set(part) - {"h"}
            assert ended.aws.table.places() == before
        else:
            assert not set(part) - {"h"}
            with pytest.raises(AssertionError, match="nothing else is ever deleted"):
                await ended.expire(tuple(ITEMS[1:]))

    for_each_part(tell)


def test_a_missing_record_of_what_does_not_expire_is_no_expiry() -> None:
    """A backup has it."""

    async def tell() -> None:
        ended = await Ended.journal(expire_days=None)
        store, place = store_on(ended.aws), key(FIRST, "r000000003")
        await store.client.delete(place)
        with pytest.raises(StoreCorrupt, match="record 4 follows record 2; restore"):
            await store.load(FIRST)
        for reverse in (False, True):
            with pytest.raises(StoreCorrupt, match=r"record 3 of .* is missing; restore the table from a backup"):
                await told_history(store, reverse=reverse)

    asyncio.run(tell())


def test_what_is_left_of_one_that_was_only_marked_in_part_runs_no_more_either() -> None:
    """Its marker died. The last record, which says that it has ended, is marked when all others are."""

    async def tell(part: tuple[str, ...]) -> None:
        if {"h", ITEMS[-1]} & set(part):
            return
        ended = await Ended.journal(expire_days=None)
        store = store_on(ended.aws)
        items = [item async for item in store._journals.items(FIRST)]
        marks = {"expires_at": {"N": "1"}, "l": {"N": str(RECORDS - 1)}}
        await store.client.put_many([item | marks for item in items if item["sk"]["S"] in part])
        await ended.expire(part)
        try:
            assert await store.load(FIRST) == ended.execution
        except StoreCorrupt:
            assert set(part) & set(ITEMS[1 + KEYFRAME :])

    for_each_part(tell)
