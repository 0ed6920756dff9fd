"""Until when a store must keep an approval: as long as anybody may come back to it, and some days longer."""

from __future__ import annotations

from asl_engine.approvals.approval import KIND, Delivery
from asl_engine.approvals.desk import TRIES_MAX
from asl_engine.store.memory_resources import MemoryResources
from asl_engine.store.resources import Change
from tests.approvals.office import NOON, Office

DAYS = 30
DAY_SECONDS = 86_400
NOON_SECONDS = NOON // 1000
A_YEAR_LATER = NOON_SECONDS + (366 + DAYS) * DAY_SECONDS


class Expiring(MemoryResources):
    """Knows when the approval expires."""

    def __init__(self) -> None:
        super().__init__()
        self.expires_at: int | None = None

    async def write(self, *changes: Change) -> None:
        await super().write(*changes)
        self.expires_at = next((each.expires_at for each in changes if each.kind == KIND), self.expires_at)


def test_one_that_waits_for_people_is_kept_as_long_as_its_execution_may_run() -> None:
    kept = Expiring()
    office = Office(kept, expire_days=DAYS)

    office.ask()

    assert kept.expires_at == A_YEAR_LATER


def test_one_whose_task_has_its_answer_expires_days_later() -> None:
    kept = Expiring()
    office = Office(kept, expire_days=DAYS)
    office.ask()
    office.pass_time(60)

    office.answer(office.link())

    assert office.approval().delivery is Delivery.DELIVERED
    assert kept.expires_at == NOON_SECONDS + 60 + DAYS * DAY_SECONDS


def test_one_whose_answer_is_due_is_kept() -> None:
    kept = Expiring()
    office = Office(kept, expire_days=DAYS)
    office.ask()
    office.tasks.failure = ConnectionError("no route")

    office.answer(office.link())

    assert office.approval().delivery is Delivery.DUE
    assert kept.expires_at == A_YEAR_LATER


def test_one_whose_answer_is_given_up_expires_days_later() -> None:
    kept = Expiring()
    office = Office(kept, expire_days=DAYS)
    office.ask()
    office.tasks.failure = ConnectionError("no route")
    office.answer(office.link())
    for _ in range(TRIES_MAX):
        office.pass_time(3_600)
        office.tell({"action": "deliver"})

    assert office.approval().delivery is Delivery.GIVEN_UP
    assert kept.expires_at == office.now() // 1000 + DAYS * DAY_SECONDS


def test_one_to_which_further_rounds_may_come_is_kept_when_it_is_decided() -> None:
    """Else a task of the same execution that asks again would ask people once more."""
    kept = Expiring()
    office = Office(kept, expire_days=DAYS)
    office.ask(approvalId="release", execution="arn:aws:states:eu-central-1:123456789012:execution:release:1")

    office.answer(office.link())

    assert office.approval().delivery is Delivery.DELIVERED
    assert kept.expires_at == A_YEAR_LATER


def test_without_days_nothing_expires() -> None:
    kept = Expiring()
    office = Office(kept)
    office.ask()

    office.answer(office.link())

    assert office.approval().delivery is Delivery.DELIVERED
    assert kept.expires_at is None
