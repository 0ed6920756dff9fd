"""`asl logs`: what the functions of a deployed engine wrote."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from asl_engine.cli import deploying, options
from asl_engine.errors import AslError

_FOLLOW_SECONDS: Final = 2.0
# An event may be found a while after it was written; looking back this far finds it.
_LATE_MILLISECONDS: Final = 10_000


@click.command(
    "logs",
    epilog=options.examples(
        """
        asl logs                                 # the engine's last ten minutes
        asl logs api --minutes 60
        asl logs engine --filter ERROR --follow
        """
    ),
)
@click.argument("function", default="engine")
@click.option("--minutes", default=10, show_default=True, type=click.IntRange(min=1), help="How far to look back.")
@click.option("--filter", "pattern", default="", help="A CloudWatch Logs filter pattern.")
@click.option("--follow", is_flag=True, help="Go on with what is written from now on, until Ctrl-C.")
@deploying.directory
def command(function: str, minutes: int, pattern: str, follow: bool, directory: Path) -> None:
    """Show what a function of a deployed engine wrote: engine, api, job_events, sweeper, approvals, notifier.

    Exit code: 0 shown, 2 there is no such function or its log could not be read.
    """
    from asl_engine.deploy.terraform import TerraformDirectory

    outputs = TerraformDirectory(directory).outputs()
    groups: dict[str, str] = outputs["log_group_names"]
    if function not in groups:
        raise AslError(f'there is no function "{function}": the functions are {", ".join(sorted(groups))}')
    client = _client(outputs["alerts_topic_arn"].split(":")[3])
    for event in _events(client, groups[function], pattern, _now() - minutes * 60_000, follow=follow):
        moment = datetime.fromtimestamp(event["timestamp"] / 1000, UTC).isoformat(timespec="milliseconds")
        click.echo(f"{moment} {event['message'].rstrip()}")


def _client(region: str) -> Any:
    try:
        from botocore.session import get_session
    except ImportError as error:
        raise AslError('reading logs needs the AWS SDK: pip install "asl-engine[aws]"') from error
    return get_session().create_client("logs", region_name=region)


def _events(client: Any, group: str, pattern: str, start: int, *, follow: bool) -> Iterator[dict[str, Any]]:
    from botocore.exceptions import BotoCoreError, ClientError

    seen: set[str] = set()
    while True:
        try:
            pages = client.get_paginator("filter_log_events").paginate(
                logGroupName=group, startTime=start, **({"filterPattern": pattern} if pattern else {})
            )
            found = [event for page in pages for event in page["events"] if event["eventId"] not in seen]
        except (BotoCoreError, ClientError) as error:
            raise AslError(f"the log {group} cannot be read: {error}") from error
        yield from sorted(found, key=lambda event: event["timestamp"])
        if not follow:
            return
        seen |= {event["eventId"] for event in found}
        start = max(start, _now() - _LATE_MILLISECONDS)
        time.sleep(_FOLLOW_SECONDS)


def _now() -> int:
    return time.time_ns() // 1_000_000
