"""The approval gate under virtual time, with the real notifier and pages behind its tasks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from asl_engine.approvals.answers import TaskIsOver
from asl_engine.approvals.approval import Approval
from asl_engine.json_value import JsonObject, JsonValue, parse_json
from asl_engine.runtime.task_context import TaskContext
from asl_engine.testing import Asl, DrivenExecution
from tests.approvals.office import Office, heading_of

MACHINE = Path(__file__).parents[2] / "state_machines" / "approval-gate" / "definition.asl.json"
ADA, BO, LEAD, OPS = "ada@example.com", "bo@example.com", "lead@example.com", "ops@example.com"
HOURS = 3_600


class Gate:
    """One execution of the gate, and the people it asks."""

    def __init__(self, asl: Asl) -> None:
        self.office = Office(answers=self)
        self._machine = asl.load(MACHINE)
        self._machine.task("asl-engine-notifier", self._notify)
        self._execution: DrivenExecution | None = None
        self._answers: list[tuple[str, str | None, str]] = []
        self.is_cut_off = False
        self.notifier_failures = 0

    @property
    def execution(self) -> DrivenExecution:
        assert self._execution is not None, "start it first"
        return self._execution

    def start(self, **members: JsonValue) -> None:
        self._execution = self._machine.start(gate_input(**members))
        self._pump()

    def after(self, **passed: float) -> None:
        self.execution.advance(**passed)
        self._pump()

    def answer(self, email: str, choice: str = "approve", **fields: str) -> str:
        """Press a button on the page of the newest link that somebody got; the heading of the page that follows."""
        self.office.time = self.execution.now
        page = self.office.answer(self.office.link(email), choice, **fields)
        self._pump()
        return heading_of(page)

    def mails(self) -> list[tuple[str | None, str]]:
        """Whom each message was for, and its subject."""
        return [(n.recipient.email if n.recipient else None, n.subject) for n in self.office.mail.sent]

    async def is_waited_for(self, approval: Approval) -> bool:
        return True

    async def send_task_success(self, task_token: str, output: str) -> None:
        self._take(task_token, None, output)

    async def send_task_failure(self, task_token: str, error: str, cause: str) -> None:
        self._take(task_token, error, cause)

    async def _notify(self, event: JsonValue, context: TaskContext) -> JsonObject:
        self.office.time = context._clock.now()
        if self.notifier_failures:
            self.notifier_failures -= 1
            raise OSError("the table is throttled")
        return await self.office.notifier.handle(event)

    def _take(self, token: str, error: str | None, text: str) -> None:
        if self.is_cut_off:
            raise ConnectionError("the process died")
        if self._execution is not None and token not in self._open_tokens():
            raise TaskIsOver
        self._answers.append((token, error, text))

    def _open_tokens(self) -> set[str]:
        waits = [getattr(frame.wait, "task_token", None) for frame in self.execution._frames()]
        return {token for token in waits if token is not None}

    def _pump(self) -> None:
        """Let the answers that were sent arrive."""
        while self._answers:
            _, error, text = self._answers.pop(0)
            if error is None:
                self.execution.send_task_success("Ask", parse_json(text))
            else:
                self.execution.send_task_failure("Ask", error, text)


def gate_input(**members: JsonValue) -> dict[str, JsonValue]:
    return {
        "title": "Deploy model 7?",
        "ladder": [{"approvers": [ADA], "hours": 4}],
        "alert": {"approvers": [OPS]},
        **members,
    }


@pytest.fixture
def gate(asl: Asl) -> Gate:
    return Gate(asl)


def test_one_approver_says_yes(gate: Gate) -> None:
    gate.start()
    gate.after(hours=1)
    assert gate.answer(ADA) == "Decided: Approve"

    gate.execution.assert_succeeded()
    output: Any = gate.execution.output
    assert (output["approved"], output["choice"], output["decidedBy"]) == (True, "approve", [ADA])


def test_a_no_is_an_answer(gate: Gate) -> None:
    gate.start()
    gate.answer(ADA, "reject")

    gate.execution.assert_succeeded()
    output: Any = gate.execution.output
    assert (output["approved"], output["choice"]) == (False, "reject")


def test_two_of_three_decide(gate: Gate) -> None:
    gate.start(ladder=[{"approvers": [ADA, BO, LEAD], "hours": 4}], quorum=2)
    assert gate.answer(ADA) == "Your answer was recorded"
    assert gate.answer(BO, "reject") == "Your answer was recorded"
    assert gate.execution.status == "RUNNING"
    assert gate.answer(LEAD) == "Decided: Approve"

    output: Any = gate.execution.output
    assert output["decidedBy"] == [ADA, LEAD]
    assert len(output["votes"]) == 3


def test_two_of_two_cannot_be_reached_after_one_no(gate: Gate) -> None:
    gate.start(ladder=[{"approvers": [ADA, BO], "hours": 4}], quorum=2)
    gate.answer(ADA, "reject")

    assert gate.execution.status == "SUCCEEDED"
    output: Any = gate.execution.output
    assert output["approved"] is False


def test_a_vote_of_an_earlier_round_still_counts(gate: Gate) -> None:
    gate.start(ladder=[{"approvers": [ADA, BO], "hours": 12}], quorum=2, remindEveryHours=4)
    gate.answer(ADA)
    gate.after(hours=9)
    gate.answer(BO)

    output: Any = gate.execution.output
    assert output["decidedBy"] == [ADA, BO]


def test_whoever_has_not_answered_is_reminded_and_nobody_else(gate: Gate) -> None:
    gate.start(ladder=[{"approvers": [ADA, BO], "hours": 12}], quorum=2, remindEveryHours=4)
    gate.answer(ADA)
    gate.after(hours=3, minutes=59)
    assert gate.mails() == [(ADA, "Deploy model 7?"), (BO, "Deploy model 7?")]

    gate.after(minutes=1)
    assert gate.mails()[2:] == [(BO, "Reminder: Deploy model 7?")]
    gate.after(hours=4)
    assert gate.mails()[3:] == [(BO, "Reminder: Deploy model 7?")]


def test_the_link_of_the_first_mail_works_after_reminders(gate: Gate) -> None:
    gate.start(ladder=[{"approvers": [ADA], "hours": 12}], remindEveryHours=4)
    first = gate.office.link(ADA)
    gate.after(hours=5)
    gate.office.time = gate.execution.now

    assert heading_of(gate.office.answer(first)) == "Decided: Approve"


def test_the_ladder_asks_a_second_reviewer_and_then_the_lead(gate: Gate) -> None:
    rungs: list[JsonValue] = [
        {"approvers": [ADA], "hours": 4},
        {"approvers": [BO], "hours": 2},
        {"approvers": [{"name": "Lead", "email": LEAD}], "hours": 18},
    ]
    gate.start(ladder=rungs)
    assert [to for to, _ in gate.mails()] == [ADA]
    gate.after(hours=4)
    assert gate.mails()[1:] == [(ADA, "Reminder: Deploy model 7?"), (BO, "Deploy model 7?")]
    gate.after(hours=2)
    assert (LEAD, "Deploy model 7?") in gate.mails()
    assert "level 3 of 3" in gate.office.visit(gate.office.link(LEAD)).body

    gate.after(hours=10)
    gate.answer(LEAD)
    output: Any = gate.execution.output
    assert output["decidedBy"] == ["Lead"]
    assert gate.execution.elapsed_seconds == 16 * HOURS


def test_when_nobody_decides_an_alert_goes_out_and_the_gate_fails(gate: Gate) -> None:
    gate.start(ladder=[{"approvers": [ADA], "hours": 4}, {"approvers": [BO], "hours": 20}])
    gate.after(hours=23, minutes=59)
    assert gate.execution.status == "RUNNING"
    gate.after(minutes=2)

    gate.execution.assert_failed("ApprovalTimedOut")
    assert gate.mails()[-1] == (OPS, "Nobody decided: Deploy model 7?")
    assert gate.office.visit(gate.office.link(ADA)).status == 410


def test_an_alert_that_cannot_be_sent_is_tried_again_and_then_told_by_the_failure(gate: Gate) -> None:
    gate.office.mail.unreachable = {OPS}
    gate.start()
    gate.after(hours=5)

    gate.execution.assert_failed("ApprovalTimedOut")
    assert gate.execution.cause is not None
    assert "nobody could be alerted" in gate.execution.cause
    assert gate.execution.attempts("AlertTimedOut") == 6


def test_a_decision_that_no_round_could_take_is_found_when_the_gate_closes(gate: Gate) -> None:
    """The vote was written, then the process that would have answered the task died."""
    gate.start()
    gate.after(hours=3)
    gate.is_cut_off = True
    gate.office.time = gate.execution.now
    assert "has not taken the answer yet" in gate.office.answer(gate.office.link(ADA)).body
    gate.is_cut_off = False
    gate.after(hours=2)

    gate.execution.assert_succeeded()
    output: Any = gate.execution.output
    assert (output["approved"], output["decidedBy"]) == (True, [ADA])


def test_a_decision_between_two_rounds_is_taken_by_the_next(gate: Gate) -> None:
    gate.start(ladder=[{"approvers": [ADA], "hours": 8}], remindEveryHours=4)
    gate.after(hours=3)
    gate.is_cut_off = True
    gate.office.time = gate.execution.now
    gate.office.answer(gate.office.link(ADA))
    gate.is_cut_off = False
    gate.after(hours=1)

    gate.execution.assert_succeeded()
    assert gate.execution.elapsed_seconds == 4 * HOURS


def test_a_decision_handed_over_is_asked_of_the_delegate_at_once(gate: Gate) -> None:
    gate.start(ladder=[{"approvers": [ADA, BO], "hours": 4}], quorum=2, delegates=[{"name": "Lead", "email": LEAD}])
    gate.answer(ADA)
    lead = next(p.id for p in gate.office.approval().request.delegates)
    gate.office.time = gate.execution.now
    link = gate.office.link(BO)
    shown = gate.office.visit(link)
    assert "Hand it over to" in shown.body
    handed = gate.office.post(link, {"nonce": _nonce(shown.body), "delegate": lead})
    assert heading_of(handed) == "You handed this decision over"
    gate._pump()

    assert gate.mails()[2:] == [(LEAD, "Deploy model 7?")]
    assert heading_of(gate.office.visit(link)) == "You handed this decision over"
    gate.answer(LEAD)
    output: Any = gate.execution.output
    assert output["decidedBy"] == [ADA, "Lead"]


def test_a_form_is_returned_as_values(gate: Gate) -> None:
    gate.start(
        form=[
            {"name": "comment", "label": "Comment", "requiredFor": ["reject"]},
            {"name": "share", "label": "Share of traffic", "type": "number", "required": True},
        ]
    )
    assert gate.answer(ADA) == "Deploy model 7?"  # the form is shown again: a field is missing
    assert gate.answer(ADA, share="0.25") == "Decided: Approve"
    output: Any = gate.execution.output
    assert output["form"] == {"share": 0.25}


@pytest.mark.parametrize(
    ("value", "enabled", "asked"), [(0.992, True, False), (0.988, True, True), (0.992, False, True)]
)
def test_a_change_within_the_guardrail_needs_nobody(gate: Gate, value: float, enabled: bool, asked: bool) -> None:
    """0.8 % passes, 1.2 % does not, and the kill switch asks people in any case."""
    gate.start(guardrail={"enabled": enabled, "value": value, "previous": 1.0, "maxChange": 0.01})

    assert (gate.execution.status == "RUNNING") is asked
    if not asked:
        output: Any = gate.execution.output
        assert output["decidedBy"] == ["guardrail"]
        assert output["guardrail"]["value"] == value
        assert gate.mails() == [(OPS, "Approved automatically: Deploy model 7?")]


def test_when_one_of_two_cannot_be_told_the_other_may_decide(gate: Gate) -> None:
    gate.office.mail.unreachable = {BO}
    gate.start(ladder=[{"approvers": [ADA, BO], "hours": 4}])
    gate.after(minutes=10)
    assert [to for to, _ in gate.mails()] == [ADA]  # once, although the notification was tried again

    gate.answer(ADA)
    gate.execution.assert_succeeded()


def test_when_nobody_can_be_told_an_alert_goes_out(gate: Gate) -> None:
    gate.office.mail.unreachable = {ADA}
    gate.start()
    gate.after(minutes=10)

    gate.execution.assert_failed("NobodyCouldBeAsked")
    assert gate.mails() == [(OPS, "Nobody could be asked: Deploy model 7?")]


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"title": None}, "title: must be a text"),
        ({"ladder": None}, "ladder: must be a list of rungs"),
        ({"ladder": []}, "ladder: must be a list of rungs"),
        ({"ladder": [{"approvers": [ADA]}]}, "hours must be a number above 0"),
        ({"ladder": [{"approvers": [ADA], "hours": "4"}]}, "hours must be a number above 0"),
        ({"ladder": [{"approvers": [ADA], "hours": 4}, {"approvers": ["bo"], "hours": 4}]}, 'not ["bo"]'),
        ({"ladder": [{"approvers": [{"name": "Ada"}], "hours": 4}]}, 'not [{"name":"Ada"}]'),
        ({"remindEveryHours": "2"}, "remindEveryHours: must be a number"),
        ({"requester": ADA}, "nobody is asked"),
        ({"quorum": 3}, "3 of 1 approvers can never be reached"),
    ],
)
def test_a_request_that_cannot_be_used_is_alerted_at_once(gate: Gate, members: JsonObject, reason: str) -> None:
    gate.start(**members)

    gate.execution.assert_failed("InvalidApprovalRequest")
    assert reason in (gate.execution.cause or "")
    ((to, subject),) = gate.mails()
    assert to == OPS
    assert subject.startswith("Nobody could be asked:")
    assert reason in gate.office.mail.sent[0].request.message


def test_without_anybody_to_alert_nobody_is_asked(gate: Gate) -> None:
    gate.start(alert=None)

    gate.execution.assert_failed("InvalidApprovalRequest")
    assert "alert: must be an object" in (gate.execution.cause or "")
    assert gate.mails() == []


@pytest.mark.parametrize("members", [{"previous": None}, {"value": "0.99"}, {"maxChange": None}])
def test_a_guardrail_without_numbers_leaves_it_to_people(gate: Gate, members: JsonObject) -> None:
    """The first model ever has none before it."""
    gate.start(guardrail={"enabled": True, "value": 0.99, "previous": 1.0, "maxChange": 0.01, **members})

    assert gate.mails() == [(ADA, "Deploy model 7?")]


def test_a_notifier_that_fails_for_a_while_is_tried_again(gate: Gate) -> None:
    gate.notifier_failures = 3
    gate.start()
    gate.after(minutes=3)
    gate.answer(ADA)

    gate.execution.assert_succeeded()
    assert gate.execution.attempts("Ask") == 4


def test_a_notifier_that_goes_on_failing_is_alerted(gate: Gate) -> None:
    gate.start(remindEveryHours=1)
    gate.notifier_failures = 4
    gate.after(hours=1, minutes=10)

    gate.execution.assert_failed("NobodyCouldBeAsked")
    assert "the table is throttled" in (gate.execution.cause or "")
    assert gate.mails()[1:] == [(OPS, "Nobody could be asked: Deploy model 7?")]
    assert gate.office.visit(gate.office.link(ADA)).status == 410  # from then on no vote counts


def test_a_decision_stands_though_the_notifier_failed_after_it(gate: Gate) -> None:
    gate.start(remindEveryHours=1)
    gate.is_cut_off = True
    gate.office.time = gate.execution.now
    gate.office.answer(gate.office.link(ADA))
    gate.is_cut_off = False
    gate.notifier_failures = 4
    gate.after(hours=1, minutes=10)

    gate.execution.assert_succeeded()
    output: Any = gate.execution.output
    assert (output["approved"], output["decidedBy"]) == (True, [ADA])


def _nonce(body: str) -> str:
    return body.partition('name="nonce" value="')[2].partition('"')[0]
