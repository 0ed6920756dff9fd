from __future__ import annotations

import asyncio
from dataclasses import replace

from asl_engine.runtime.activities import ActivityDesk, Offer
from asl_engine.runtime.tasks import Taken, TaskCall
from tests.runtime.task_calls import FUNCTION_ARN, task_call

REVIEW = "arn:aws:states:eu-west-1:123456789012:activity:review"
REPAIR = "arn:aws:states:eu-west-1:123456789012:activity:repair"


def offered(number: int = 3, resource: str = REVIEW) -> TaskCall:
    return task_call(resource, wait_id=number)


async def taken(desk: ActivityDesk, resource: str = REVIEW) -> Offer:
    offer = await desk.take(resource, 10)
    assert offer is not None
    return offer


def test_only_activities_go_to_workers() -> None:
    assert ActivityDesk().handles(offered())
    assert not ActivityDesk().handles(task_call(FUNCTION_ARN))


def test_tasks_are_handed_out_oldest_first_and_are_taken_once_settled() -> None:
    async def run() -> None:
        desk = ActivityDesk()
        performing = [asyncio.create_task(desk.perform(offered(number))) for number in (1, 2)]
        await asyncio.sleep(0)
        offers = [await taken(desk), await taken(desk)]

        assert [offer.call.attempt.wait_id for offer in offers] == [1, 2]
        assert not any(task.done() for task in performing)
        for offer in offers:
            offer.settled.set_result(None)
        assert await asyncio.gather(*performing) == [Taken(), Taken()]

    asyncio.run(run())


def test_each_activity_has_workers_of_its_own() -> None:
    async def run() -> None:
        desk = ActivityDesk()
        performing = asyncio.create_task(desk.perform(offered(resource=REPAIR)))
        await asyncio.sleep(0)

        assert await desk.take(REVIEW, 0.001) is None
        (await taken(desk, REPAIR)).settled.set_result(None)
        await performing

    asyncio.run(run())


def test_a_waiting_worker_is_served_at_once_in_the_order_of_asking() -> None:
    async def run() -> None:
        desk = ActivityDesk()
        workers = [asyncio.create_task(taken(desk)) for _ in range(2)]
        await asyncio.sleep(0)
        performing = [asyncio.create_task(desk.perform(offered(number))) for number in (1, 2)]
        offers = await asyncio.gather(*workers)

        assert [offer.call.attempt.wait_id for offer in offers] == [1, 2]
        assert desk.waiting(REVIEW) == 0
        for offer in offers:
            offer.settled.set_result(None)
        await asyncio.gather(*performing)

    asyncio.run(run())


def test_what_a_lost_worker_had_been_given_is_offered_again() -> None:
    async def run() -> None:
        desk = ActivityDesk()
        lost = asyncio.create_task(taken(desk))
        await asyncio.sleep(0)
        performing = asyncio.create_task(desk.perform(offered()))
        await asyncio.sleep(0)  # the task is on its way to the worker
        lost.cancel()
        await asyncio.gather(lost, return_exceptions=True)

        (await taken(desk)).settled.set_result(None)
        assert await performing == Taken()

    asyncio.run(run())


def test_a_task_that_is_cancelled_is_withdrawn() -> None:
    async def run() -> None:
        desk = ActivityDesk()
        performing = asyncio.create_task(desk.perform(offered()))
        await asyncio.sleep(0)
        performing.cancel()
        await asyncio.gather(performing, return_exceptions=True)

        assert await desk.take(REVIEW, 0.001) is None

    asyncio.run(run())


def test_an_offer_that_is_settled_is_not_offered_again() -> None:
    async def run() -> None:
        desk = ActivityDesk()
        performing = asyncio.create_task(desk.perform(offered()))
        await asyncio.sleep(0)
        offer = await taken(desk)
        offer.settled.set_result(None)
        desk.put(offer)

        assert await desk.take(REVIEW, 0.001) is None
        await performing

    asyncio.run(run())


def test_a_task_that_its_worker_has_already_is_not_offered() -> None:
    async def run() -> None:
        desk = ActivityDesk()
        call = offered()
        assert await desk.perform(replace(call, attempt=replace(call.attempt, submitted=True))) == Taken()
        assert await desk.take(REVIEW, 0.001) is None

    asyncio.run(run())
