"""`asl serve`: the Step Functions API on this machine."""

from __future__ import annotations

import asyncio
import importlib.util
import ipaddress
import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import click

from asl_engine.cli import options, wiring
from asl_engine.cli.driving import interruptions
from asl_engine.errors import AslError, ExecutionIsAhead

if TYPE_CHECKING:
    from asl_engine.approvals.notice import Notice

EMULATORS_ACCOUNT: Final = "000000000000"
ACCESS_TOKEN: Final = "ASL_ACCESS_TOKEN"  # noqa: S105 - the variable's name


@click.command(
    "serve",
    epilog=options.examples(
        """
        asl serve --tasks tasks.py
        asl serve --port 8083 --store sqlite:executions.sqlite
        AWS_ENDPOINT_URL_LAMBDA=http://127.0.0.1:3001 asl serve
        asl serve --store memory --clock virtual --mocks mocks.json
        """
    ),
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8083, show_default=True, type=click.IntRange(0, 65535), help="0 takes any free one.")
@click.option(
    "--allow-remote",
    is_flag=True,
    help=f"Listen on an address that others can reach. Needs an access token in {ACCESS_TOKEN}.",
)
@click.option(
    "--account",
    default=EMULATORS_ACCOUNT,
    show_default=True,
    metavar="ID",
    help="The account that ARNs name; the default is that of LocalStack and other emulators.",
)
@click.option(
    "--notifier",
    default="notifier",
    show_default=True,
    metavar="NAME",
    help="Ask for approval here when a task invokes a function of this name, or one that ends in -NAME.",
)
@options.store
@options.running
def command(
    host: str,
    port: int,
    allow_remote: bool,
    account: str,
    notifier: str,
    store_spec: str,
    tasks: Path | None,
    mocks: Path | None,
    mock_state_machine: str | None,
    mock_test_case: str | None,
    clock: Literal["real", "virtual"],
) -> None:
    """Serve the AWS Step Functions API on this machine.

    boto3, the AWS CLI and Terraform take it for Step Functions. Executions are kept on disk: ended and started again,
    the server goes on with what was open. What virtual time has carried ahead of the real clock it leaves alone, and
    tells how `asl resume` goes on with it.

    With the MockConfigFile.json of Step Functions Local as --mocks, an execution that is started on
    STATE-MACHINE-ARN#TEST-CASE is mocked by that test case, until the server ends.
    """
    access_token = _access_token(host, allow_remote=allow_remote)
    if importlib.util.find_spec("aiohttp") is None or importlib.util.find_spec("botocore") is None:
        raise AslError('serving the API needs aiohttp and the AWS SDK: pip install "asl-engine[server]"')
    sources = wiring.TaskSources(
        tasks=tasks, mocks=mocks, mock_state_machine=mock_state_machine, mock_test_case=mock_test_case
    )
    asyncio.run(_serve(_Served(store_spec, sources, clock, account, notifier), host, port, access_token))


@dataclass(frozen=True, slots=True)
class _Served:
    """What is put behind the port."""

    store_spec: str
    sources: wiring.TaskSources
    clock: Literal["real", "virtual"]
    account: str
    notifier: str


async def _serve(served: _Served, host: str, port: int, access_token: str | None) -> None:
    from asl_engine.approvals.local import LocalApprovals
    from asl_engine.server.serving import Address, service_on, serving

    clock = wiring.clock_named(served.clock)
    async with wiring.new_store(served.store_spec) as store:
        approvals = LocalApprovals(_tell_asked, served.notifier)
        performers = served.sources.servers_performers(clock, [approvals])
        service = service_on(store, clock, performers, region=wiring.region(), account=served.account)
        address = Address(host=host, port=port, access_token=access_token)
        with interruptions() as interrupted:
            async with serving(
                service, address, left_alone=partial(_tell_left_alone, served), approvals=approvals
            ) as listening:
                _tell(host, listening, served.store_spec)
                await interrupted
    kept = served.store_spec != "memory"
    click.echo("Stopped. What was open is kept; `asl serve` goes on with it." if kept else "Stopped.")


def _access_token(host: str, *, allow_remote: bool) -> str | None:
    token = os.environ.get(ACCESS_TOKEN) or None
    if _is_loopback(host):
        return token
    if not allow_remote:
        raise AslError(
            f"{host} can be reached from other machines: say --allow-remote if that is meant, or leave --host out"
        )
    if token is None:
        raise AslError(f"listening on {host} needs an access token: set {ACCESS_TOKEN} to a long random text")
    return token


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _tell(host: str, port: int, store_spec: str) -> None:
    shown = f"[{host}]" if ":" in host else host
    url, region = f"http://{shown}:{port}", wiring.region()
    click.echo(
        f"""Step Functions is at {url}   executions are kept in {store_spec}   Ctrl-C stops

  boto3     boto3.client("stepfunctions", endpoint_url="{url}", region_name="{region}")
  AWS CLI   aws stepfunctions list-state-machines --endpoint-url {url} --region {region}
  all SDKs  export AWS_ENDPOINT_URL_SFN={url} AWS_REGION={region} AWS_DEFAULT_REGION={region}
            export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local
  StartSyncExecution and TestState put "sync-" before the host's name, unless told
            export AWS_DISABLE_HOST_PREFIX_INJECTION=true
  Approvals are asked for here; mail is captured at {url}/outbox"""
    )


def _tell_asked(notice: Notice) -> None:
    """The links of a message, for whoever watches the terminal."""
    from asl_engine.language.diagnostics import printable

    who = notice.recipient.name if notice.recipient is not None else "everybody"
    click.echo(f"\n{printable(f'{notice.subject}   to {who}')}")
    for option in notice.request.choices if notice.links is not None else ():
        assert notice.links is not None, "checked above"
        click.echo(f"  {printable(option.label):<12} {notice.links.choices[option.id]}")


def _tell_left_alone(served: _Served, arn: str, error: BaseException) -> None:
    click.echo(f"{arn} is left alone for now: {error}", err=True)
    if isinstance(error, ExecutionIsAhead):
        from asl_engine.cli.next_steps import NextSteps

        steps = NextSteps(served.store_spec, (*served.sources.as_options(), "--clock", "virtual"))
        click.echo(f"Go on with: {steps.resume(arn)}", err=True)
