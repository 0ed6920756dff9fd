"""`asl run`: start an execution and drive it to its end."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Final

import click

from asl_engine.cli import options
from asl_engine.cli.event_loop import complete
from asl_engine.errors import InvalidExecutionInput, InvalidJson
from asl_engine.json_value import JsonValue, parse_json


@click.command(
    "run",
    epilog=options.examples(
        """
        asl run order.asl.json --input '{"order": 7}' --tasks tasks.py
        asl run order.asl.json --input @order.json --mocks mocks.json --clock virtual
        echo '{"order": 7}' | asl run order.asl.json --input - --json | jq -r .output
        asl run order.asl.json --name order-7 --store sqlite:orders.sqlite
        """
    ),
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--input", "input_text", metavar="JSON|@FILE|-", default="{}", show_default=True, help="The input.")
@click.option("--name", help="Name of the execution. [default: the machine's name and a few random digits]")
@options.running
@options.store
@click.option("--history", "with_history", is_flag=True, help="Print the history, too (with --json: as `events`).")
@options.as_json
@click.option("--aws-limits", is_flag=True, help="Apply AWS's limits: payloads of 256 KiB, histories of 25,000 events.")
def command(
    *,
    file: Path,
    input_text: str,
    name: str | None,
    store_spec: str,
    with_history: bool,
    as_json: bool,
    aws_limits: bool,
    **sources: Any,
) -> None:
    """Start an execution of FILE and follow it to its end.

    Everything is durable before it is acted on: after Ctrl-C or a crash, `asl resume` goes on where it was.
    Tasks are performed by the first that knows them: --mocks, --tasks, the services of AWS (credentials and a region,
    or an emulator's AWS_ENDPOINT_URL, or AWS_ENDPOINT_URL_LAMBDA and its like for one service).

    Exit code: 0 SUCCEEDED, 1 ended in any other way, 2 nothing was run or the store failed, 3 it waits for an answer
    from outside (virtual time only), 130 Ctrl-C.
    """
    from asl_engine.cli.sessions import Settings
    from asl_engine.cli.starting import run

    settings = Settings.of(
        store_spec=store_spec, as_json=as_json, with_history=with_history, aws_limits=aws_limits, **sources
    )
    sys.exit(complete(run(settings, file, read_input(input_text), name)))


def read_input(text: str) -> JsonValue:
    """The input that the option spells. Raises InvalidExecutionInput."""
    where = "--input"
    try:
        if text == "-":
            where = "standard input"
            text = sys.stdin.read()
        elif text.startswith("@"):
            where = text[1:]
            text = Path(where).read_text(encoding="utf-8")
        value = parse_json(text)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else f"byte {error.start} is no UTF-8"
        raise InvalidExecutionInput(f"the input cannot be read from {where}: {reason}") from error
    except InvalidJson as error:
        raise InvalidExecutionInput(f"{where}: {error}\n{_shown(text, error)}{_INPUT_HINT}") from error
    for key in _repeated_keys(text):
        click.echo(f'{where}: the key "{key}" is given more than once; the last one counts, as on AWS', err=True)
    return value


def _repeated_keys(text: str) -> list[str]:
    """The keys that an object of the text has more than once. The text must be JSON."""
    repeated: dict[str, None] = {}

    def check(members: list[tuple[str, object]]) -> None:
        if len({key for key, _ in members}) < len(members):
            counts = Counter(key for key, _ in members)
            repeated.update(dict.fromkeys(key for key, count in counts.items() if count > 1))

    json.loads(text, object_pairs_hook=check)
    return list(repeated)


def _shown(text: str, error: InvalidJson) -> str:
    """The line at fault with a caret below the column."""
    if error.line is None or error.column is None:
        return ""
    line = text.splitlines()[error.line - 1] if text.strip() else ""
    start = max(0, error.column - _COLUMNS_BEFORE)
    return f"  {line[start : start + _COLUMNS_SHOWN]}\n  {' ' * (error.column - 1 - start)}^\n" if line else ""


_COLUMNS_BEFORE: Final = 40
_COLUMNS_SHOWN: Final = 80
_INPUT_HINT: Final = (
    """give a JSON text, as in --input '{"order": 7}', a file as --input @order.json, or - for standard input"""
)
