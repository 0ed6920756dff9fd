"""`asl simulate`: the engine under faults, on machines drawn from seeds or on the user's own."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Final

import click

from asl_engine.cli import options
from asl_engine.cli.exit_codes import ALL_WELL, INTERRUPTED, NOT_WELL

if TYPE_CHECKING:
    from asl_engine.testing.simulation.campaign import Failure, Host, SeedReport, UsersMachine

_FAILURES_MAX: Final = 20
_PROGRESS_EVERY: Final = 50  # seeds


@click.command(
    "simulate",
    epilog=options.examples(
        """
        asl simulate                                    # 1,000 machines that the seeds draw
        asl simulate order.asl.json --input @order.json # your own, its tasks answered by the seed
        asl simulate --from 4711 --seeds 1 -v           # one seed, step by step
        """
    ),
)
@click.argument("files", metavar="[FILE…]", nargs=-1, type=click.Path(path_type=Path))
@click.option("--seeds", metavar="N", type=click.IntRange(min=1), default=1000, show_default=True, help="How many.")
@click.option(
    "--from", "first", metavar="SEED", type=click.IntRange(min=0), default=0, show_default=True, help="The first seed."
)
@click.option(
    "--input", "input_text", metavar="JSON|@FILE|-", default="{}", show_default=True, help="The input of each FILE."
)
@click.option(
    "--host",
    type=click.Choice(["in-process", "queued", "both"]),
    default="both",
    show_default=True,
    help="What runs the machines: the rules of the host of one process, the real host that a queue drives, or each.",
)
@click.option("-v", "--verbose", is_flag=True, help="Print the steps of a seed that fails, or of a single seed.")
@options.as_json
def command(
    *, files: tuple[Path, ...], seeds: int, first: int, input_text: str, host: str, verbose: bool, as_json: bool
) -> None:
    """Run machines in a simulated world that each seed draws: processes crash between any two effects, messages come
    twice, late and in any order, store, queue and services fail, clocks differ, several processes run one execution.

    After every step, what the engine promises is checked; when the faults stop, the execution must end. Nothing real is
    touched: no task is performed, no time passes. In a FILE, tasks answer as automatic mocks do, or with an error that
    the state's Retry and Catch name. States that no execution came to were not tried out: they are named.

    Ctrl-C ends it after the simulation that runs, and the last lines say how to go on; a second one ends it at once.

    Exit code: 0 nothing broke, 1 something did (the line says how to repeat it), 2 a FILE cannot be used, 130 Ctrl-C
    before anything broke.
    """
    subjects: list[UsersMachine | None] = [_users_machine(file, input_text) for file in files] or [None]
    campaign = _Campaign(range(first, first + seeds), _hosts(host), verbose=verbose, is_quiet=as_json)
    with _noting_interrupts(campaign):
        for subject in subjects:
            campaign.run(subject)
    campaign.conclude(as_json=as_json, files=[str(file) for file in files])
    sys.exit(NOT_WELL if campaign.failures else INTERRUPTED if campaign.undone else ALL_WELL)


@contextlib.contextmanager
def _noting_interrupts(campaign: _Campaign) -> Iterator[None]:
    """The first Ctrl-C is no exception: what runs in the simulated world survives whatever can be caught."""

    def handle(number: int, _frame: FrameType | None) -> None:
        if campaign.is_interrupted:
            os._exit(128 + number)
        campaign.is_interrupted = True

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _hosts(chosen: str) -> Sequence[Host]:
    from asl_engine.testing.simulation.campaign import Host

    return tuple(Host) if chosen == "both" else (Host(chosen),)


def _users_machine(file: Path, input_text: str) -> UsersMachine:
    from asl_engine.cli.commands.run import read_input
    from asl_engine.cli.definitions import load_machine
    from asl_engine.testing.simulation.campaign import UsersMachine

    replay_options = () if input_text == "{}" else ("--input", input_text)
    return UsersMachine(
        file=str(file), machine=load_machine(file), input=read_input(input_text), replay_options=replay_options
    )


class _Campaign:
    """Runs seeds, tells what breaks as it breaks, and sums up."""

    def __init__(self, seeds: range, hosts: Sequence[Host], *, verbose: bool, is_quiet: bool) -> None:
        self._seeds, self._hosts, self._verbose, self._is_quiet = seeds, hosts, verbose, is_quiet
        self.failures: list[Failure] = []
        self.is_interrupted = False
        self.undone: list[tuple[UsersMachine | None, int]] = []  # each with the first seed that is not done
        self._counts: Counter[str] = Counter()
        self._statuses: Counter[str] = Counter()
        self._never_entered: dict[str, list[str]] = {}  # of each file, its states
        self._done = self._steps = 0

    def run(self, users: UsersMachine | None) -> None:
        """All seeds on one machine, or each on its own; no more than it takes to see that much is broken."""
        entered: set[str] = set()
        for report in self._reports(users):
            self._done += 1
            self._steps += report.steps
            self._counts += report.counts
            self._statuses += report.statuses
            entered |= report.entered
            if report.failure is not None:
                self.failures.append(report.failure)
            self._tell(report)
            if len(self.failures) >= _FAILURES_MAX:
                break
        if users is not None and not self.is_interrupted:
            names = [name for branch in [*users.machine.branches.values()][::-1] for name in branch.states]
            self._never_entered[users.file] = [name for name in names if name not in entered]

    def conclude(self, *, as_json: bool, files: list[str]) -> None:
        """The last word."""
        if as_json:
            from asl_engine.cli.results import json_text

            click.echo(
                json_text(
                    {
                        "result": "FAIL" if self.failures else "INTERRUPTED" if self.undone else "OK",
                        "from": self._seeds.start,
                        "seeds": len(self._seeds),
                        "hosts": [host.value for host in self._hosts],
                        "files": [*files],
                        "simulations": self._done,
                        "steps": self._steps,
                        "executions": {**self._statuses},
                        "neverEntered": {file: [*names] for file, names in self._never_entered.items()},
                        "faults": {**self._counts},
                        "failures": [failure.as_json() for failure in self.failures],
                        "goOn": [*map(self._going_on, self.undone)],
                    }
                )
            )
            return
        broken = len(self.failures)
        verdict = (
            click.style(f"{broken} broke", fg="red", bold=True) if broken else click.style("none broke", fg="green")
        )
        click.echo(f"{self._done:,} simulations, {self._steps:,} steps: {verdict}")
        click.echo("  ".join(f"{count:,} {fault}" for fault, count in _summed(self._counts)))
        ended = "  ".join(f"{count:,} {status}" for status, count in self._statuses.most_common())
        click.echo(f"executions: {ended}")
        for file, names in self._never_entered.items():
            if names:
                click.secho(f"{file}: never entered, so not tried out: {', '.join(names)}", fg="yellow")
        for undone in self.undone:
            done = f"{undone[1] - self._seeds.start:,} of {len(self._seeds):,} seeds"
            click.secho(f"interrupted: {done} done; to go on: {self._going_on(undone)}", fg="yellow")

    def _going_on(self, undone: tuple[UsersMachine | None, int]) -> str:
        users, seed = undone
        machine = [] if users is None else [users.file, *users.replay_options]
        host = self._hosts[0].value if len(self._hosts) == 1 else "both"
        seeds = ["--from", str(seed), "--seeds", str(self._seeds.stop - seed)]
        return shlex.join(["asl", "simulate", *machine, "--host", host, *seeds])

    def _reports(self, users: UsersMachine | None) -> Iterator[SeedReport]:
        from asl_engine.testing.simulation.campaign import simulate_seed

        is_single = len(self._seeds) == 1
        for seed in self._seeds:
            for host in self._hosts:
                if self.is_interrupted:
                    self.undone.append((users, seed))
                    return
                report = simulate_seed(seed, users, host=host, tracing=self._verbose and is_single)
                if report.failure is not None and self._verbose and not is_single:
                    report = simulate_seed(seed, users, host=host, tracing=True)
                yield report

    def _tell(self, report: SeedReport) -> None:
        if self._is_quiet:
            return
        if sys.stderr.isatty() and self._done % _PROGRESS_EVERY == 0:
            click.echo(f"\r{self._done:,} simulations, {len(self.failures)} broke", nl=False, err=True)
        for line in report.trace:
            click.echo(line)
        if report.failure is not None:
            click.echo(str(report.failure))


def _summed(counts: Counter[str]) -> list[tuple[str, int]]:
    """Counts by the kind of fault, the most frequent first: where exactly it crashed is for the JSON."""
    kinds: Counter[str] = Counter()
    for fault, count in counts.items():
        kinds[fault.partition(":")[0]] += count
    return kinds.most_common()
