"""`asl approvals`: the approvals of a store, for those who have neither mail nor Slack at hand."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from asl_engine.cli import options
from asl_engine.cli.event_loop import complete

if TYPE_CHECKING:
    from asl_engine.approvals.approval import Approval
    from asl_engine.approvals.desk import ApprovalDesk
    from asl_engine.approvals.form import FormField
    from asl_engine.approvals.request import Approver
    from asl_engine.approvals.store_answers import StoreAnswers
    from asl_engine.json_value import JsonObject
    from asl_engine.store.protocol import ExecutionStore

_ID = click.argument("approval_id", metavar="ID")
_AS = click.option("--as", "approver", metavar="EMAIL|NAME", help="Whose answer it is, where several people are asked.")
_FIELD = click.option(
    "--field", "fields", metavar="NAME=VALUE", multiple=True, help="A field of the approval's form; may be repeated."
)


@click.group(
    "approvals",
    epilog=options.examples(
        """
        asl approvals list
        asl approvals show 3f9c
        asl approvals approve 3f9c --field comment="looks good"
        """
    ),
)
def command() -> None:
    """List, show and answer requests for approval.

    An ID may be shortened as long as it fits one approval only. For an engine on AWS answer on its pages or through its
    API: here the answer is only written to the store, and nobody is woken.
    """


@command.command("list", epilog=options.examples("asl approvals list\nasl approvals list --all --json"))
@click.option("--all", "is_all", is_flag=True, help="Also those that are decided or over.")
@options.store
@options.as_json
def list_approvals(*, is_all: bool, store_spec: str, as_json: bool) -> None:
    """List the approvals that wait for people, newest first."""
    complete(_list(store_spec, is_all=is_all, as_json=as_json))


@command.command("show", epilog=options.examples("asl approvals show 3f9c\nasl approvals show 3f9c --json"))
@_ID
@options.store
@options.as_json
def show(*, approval_id: str, store_spec: str, as_json: bool) -> None:
    """Show what is to be decided, who was asked, and who answered what."""
    complete(_show(approval_id, store_spec, as_json=as_json))


@command.command(
    "approve",
    short_help="Answer with a choice that lets the task succeed.",
    epilog=options.examples(
        "asl approvals approve 3f9c\nasl approvals approve 3f9c --as ada@example.com --choice later"
    ),
)
@_ID
@click.option("--choice", metavar="CHOICE", help="The choice to make; by default the first that is no refusal.")
@_AS
@_FIELD
@options.store
def approve(
    *, approval_id: str, choice: str | None, approver: str | None, fields: Sequence[str], store_spec: str
) -> None:
    """Answer with the first choice that lets the task succeed, or with another."""
    complete(_answer(approval_id, store_spec, choice, approver, fields, is_refusal=False))


@command.command(
    "reject", epilog=options.examples('asl approvals reject 3f9c --field comment="too slow" --as ada@example.com')
)
@_ID
@_AS
@_FIELD
@options.store
def reject(*, approval_id: str, approver: str | None, fields: Sequence[str], store_spec: str) -> None:
    """Answer with the first choice that fails the task."""
    complete(_answer(approval_id, store_spec, None, approver, fields, is_refusal=True))


async def _list(store_spec: str, *, is_all: bool, as_json: bool) -> None:
    from asl_engine.approvals.approval import Status
    from asl_engine.cli import results, wiring
    from asl_engine.cli.moments import moment
    from asl_engine.language.diagnostics import printable

    async with wiring.existing_store(store_spec) as store:
        desk = _desk(store)
        approvals = [await _as_it_stands(desk, each) for each in await desk.all()]
    approvals = [each for each in approvals if is_all or each.status is Status.OPEN]
    approvals.sort(key=lambda each: each.created_at, reverse=True)
    if as_json:
        click.echo(results.json_text({"approvals": [_shown(approval) for approval in approvals]}))
        return
    if not approvals:
        click.echo("No approvals." if is_all else "Nothing waits for approval.")
        return
    click.secho(f"{'ID':<24}  {'STATUS':<8}  {'ASKED':<19}  TITLE", bold=True)
    for approval in approvals:
        asked = moment(approval.created_at)
        click.echo(f"{approval.id:<24}  {approval.status.value:<8}  {asked:<19}  {printable(approval.request.title)}")


async def _show(approval_id: str, store_spec: str, *, as_json: bool) -> None:
    from asl_engine.approvals.page_texts import not_told
    from asl_engine.approvals.tally import progress
    from asl_engine.cli import results, wiring
    from asl_engine.cli.moments import moment
    from asl_engine.json_value import dump_json
    from asl_engine.language.diagnostics import printable

    async with wiring.existing_store(store_spec) as store:
        desk = _desk(store)
        approval = await _as_it_stands(desk, await _find(desk, approval_id))
    if as_json:
        click.echo(results.json_text(_shown(approval)))
        return
    request = approval.request
    lines = [printable(line) for line in request.message.splitlines()]
    for detail in request.details:
        before = f"   before: {detail.previous}" if detail.previous is not None else ""
        lines.append(printable(f"  {detail.label}: {detail.value}{before}"))
    lines.append(printable(f"Asked: {', '.join(approver.name for approver in approval.approvers)}"))
    if request.deadline is not None:
        lines.append(f"Until: {moment(request.deadline)}")
    lines.append(f"Choices: {', '.join(option.id for option in request.choices)}")
    lines += [printable(_field_line(field)) for field in request.form]
    lines += [printable(standing)] if (standing := progress(approval)) else []
    for vote in approval.votes:
        form = dump_json(vote.form) if vote.form else ""
        lines.append(f"  {moment(vote.at)}  {printable(vote.by)}: {vote.choice} {form}".rstrip())
    lines += [untold] if (untold := not_told(approval)) else []
    click.secho(f"{printable(request.title)}   {approval.status.value}", bold=True)
    click.echo("\n".join(lines))


def _field_line(field: FormField) -> str:
    """How a field is given to `--field`, and when it must be."""
    needed = f", needed for {', '.join(sorted(field.required_for))}" if field.required_for else ""
    kind = " | ".join(field.options) or field.type.value
    return f"  --field {field.name}=…   {field.label} ({kind}{needed})"


async def _answer(
    approval_id: str,
    store_spec: str,
    choice: str | None,
    approver: str | None,
    fields: Sequence[str],
    *,
    is_refusal: bool,
) -> None:
    from asl_engine.approvals.approval import Delivery, Status, Vote
    from asl_engine.approvals.form import read_form
    from asl_engine.approvals.store_answers import StoreAnswers
    from asl_engine.cli import wiring
    from asl_engine.errors import AslError

    async with wiring.existing_store(store_spec) as store:
        answers = StoreAnswers(store, wiring.wall_clock_now)
        desk = _desk(store, answers)
        approval = await _find(desk, approval_id)
        chosen = _choice(approval, choice, is_refusal=is_refusal)
        values, problems = read_form(approval.request.form, _written(fields, approval.request.form), chosen)
        if problems:
            raise AslError("\n".join(f"--field {name}=… {problem}" for name, problem in problems.items()))
        who = _approver(approval, approver)
        by = f"{who.name} (asl approvals, {getpass.getuser()})"
        vote = Vote(recipient_id=who.id, by=by, choice=chosen, at=desk.now(), via="cli", form=values)
        after = (await desk.vote(approval.id, vote)).approval
    if after.status is not Status.DECIDED:
        click.echo("The answer was recorded. Others are still asked.")
    elif after.delivery is Delivery.DUE:
        raise AslError(f"decided: {after.choice}; but the execution could not be told yet. `asl serve` tells it")
    elif after.delivery is Delivery.TOO_LATE:
        raise AslError("the answer came too late: the task had timed out, or its execution had ended")
    else:
        alone = "" if answers.are_taken else " Nobody runs it now: `asl serve` goes on with what is open."
        click.echo(f"Decided: {after.choice}. The execution has the answer.{alone}")


def _desk(store: ExecutionStore, answers: StoreAnswers | None = None) -> ApprovalDesk:
    from asl_engine.approvals.desk import ApprovalDesk
    from asl_engine.approvals.store_answers import StoreAnswers
    from asl_engine.cli import wiring
    from asl_engine.store.opening import days_kept, resources_beside

    now = wiring.wall_clock_now
    return ApprovalDesk(resources_beside(store), answers or StoreAnswers(store, now), now, days_kept(store))


async def _as_it_stands(desk: ApprovalDesk, approval: Approval) -> Approval:
    return replace(approval, status=await desk.status_of(approval))


async def _find(desk: ApprovalDesk, approval_id: str) -> Approval:
    """The approval whose id begins so. Raises AslError."""
    from asl_engine.errors import AslError

    found = [approval for approval in await desk.all() if approval.id.startswith(approval_id)]
    exact = [approval for approval in found if approval.id == approval_id] or found
    if len(exact) == 1:
        return exact[0]
    ways = "`asl approvals list` shows what waits" if not exact else f"{len(exact)} do: give more of the id"
    raise AslError(f"no single approval's id begins with {approval_id!r}; {ways}")


def _choice(approval: Approval, choice: str | None, *, is_refusal: bool) -> str:
    from asl_engine.errors import AslError

    offered = approval.request.choices
    if choice is None:
        choice = next((option.id for option in offered if (option.error is not None) is is_refusal), None)
    if choice is None or approval.request.option(choice) is None:
        raise AslError(f"the approval offers these choices: {', '.join(option.id for option in offered)}")
    return choice


def _approver(approval: Approval, written: str | None) -> Approver:
    """Whose vote it is: the one named, or the only one who has not voted. Raises AslError."""
    from asl_engine.approvals.notice import ANYBODY
    from asl_engine.errors import AslError

    asked = approval.approvers or (ANYBODY,)
    if written is not None:
        asked = tuple(each for each in asked if written.lower() in {_lower(each.email), _lower(each.name), each.slack})
    else:
        asked = tuple(each for each in asked if approval.vote_of(each.id) is None) or asked
    if len(asked) == 1:
        return asked[0]
    names = ", ".join(each.email or each.name for each in approval.approvers)
    raise AslError(f"say whose answer it is with --as: {names}")


def _lower(text: str | None) -> str:
    return (text or "").lower()


def _written(fields: Sequence[str], form: Sequence[FormField]) -> dict[str, str]:
    from asl_engine.errors import AslError
    from asl_engine.language.diagnostics import did_you_mean

    known = {field.name for field in form}
    written = {}
    for field in fields:
        name, separator, value = field.partition("=")
        if not separator:
            raise AslError(f"--field is written as NAME=VALUE, not {field!r}")
        if name not in known:
            hint = did_you_mean(name, known) or "its form has no fields"
            raise AslError(f"the approval has no field called {name!r}; {hint}")
        written[name] = value
    return written


def _shown(approval: Approval) -> JsonObject:
    """An approval as JSON: everything but the task token."""
    from asl_engine.approvals.answers import decision_output

    return {
        "id": approval.id,
        "request": approval.payload,
        "approvers": [{"name": each.name, "email": each.email, "slack": each.slack} for each in approval.approvers],
        **decision_output(approval),
        "status": approval.status.value,
    }
