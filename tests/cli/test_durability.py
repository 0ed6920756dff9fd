"""What Ctrl-C and kill -9 leave behind: nothing is lost, and no task that finished runs again.

The tasks tell the outside what they do through a FIFO that the test reads, so that the test knows where the process
is without waiting for time to pass.
"""

from __future__ import annotations

import json
import os
import random
import select
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import APPROVAL, APPROVAL_TASKS, Asl

Write = Callable[[str, Any], Path]
LENGTH = 12
KILLS = 20
SECONDS_MAX = 30

# A task announces itself, then waits for a word; what it has done is recorded before it returns.
TASKS = """
import os

def work(event, context):
    with open("began", "w") as fifo:
        fifo.write(context.state_name + "\\n")
    with open("go") as fifo:
        fifo.readline()
    with open("record.txt", "a") as file:
        file.write(context.state_name + "\\n")
        file.flush()
        os.fsync(file.fileno())
    return (event or 0) + 1

TASKS = {"work": work}
"""
LAST = f"Task{LENGTH:02}"
RESOURCE = "arn:aws:lambda:us-east-1:123456789012:function:work"


def chain(length: int) -> dict[str, Any]:
    """Tasks one after the other."""
    names = [f"Task{number:02}" for number in range(1, length + 1)]
    states = {
        name: {"Type": "Task", "Resource": RESOURCE, **({"Next": follower} if follower else {"End": True})}
        for name, follower in zip(names, [*names[1:], None], strict=True)
    }
    return {"StartAt": names[0], "States": states}


class Outside:
    """The world in which the tasks work."""

    def __init__(self, directory: Path) -> None:
        for name in ("began", "go"):
            os.mkfifo(directory / name)
        # Opened for both, so that neither end ever blocks, and what a killed process has left can be drained.
        self._began = os.open(directory / "began", os.O_RDWR | os.O_NONBLOCK)
        self._go = os.open(directory / "go", os.O_RDWR | os.O_NONBLOCK)
        self._record = directory / "record.txt"

    def begins_within(self, seconds: float) -> bool:
        """Whether a task begins in that time."""
        return bool(select.select([self._began], [], [], seconds)[0])

    def next_task(self) -> str:
        """Wait until a task begins; its name."""
        assert self.begins_within(SECONDS_MAX), "no task began"
        return os.read(self._began, 4096).decode().split()[-1]

    def let_go(self) -> None:
        """Let the task that waits, or will, do its work."""
        os.write(self._go, b"go\n")

    def forget(self) -> None:
        """Drop words that nobody read."""
        for fifo in (self._began, self._go):
            while select.select([fifo], [], [], 0)[0]:
                os.read(fifo, 4096)

    def record(self) -> list[str]:
        """The tasks that have done their work, in order, as often as they did."""
        return self._record.read_text().split() if self._record.exists() else []

    def close(self) -> None:
        os.close(self._began)
        os.close(self._go)


@pytest.fixture
def outside(asl: Asl, write: Write) -> Iterator[Outside]:
    write("chain.asl.json", chain(LENGTH))
    write("tasks.py", TASKS)
    world = Outside(asl.directory)
    yield world
    world.close()


def end(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Wait for a process; its exit code and what it printed."""
    stdout, stderr = process.communicate(timeout=SECONDS_MAX)
    return process.returncode, stdout, stderr


def let_all_go(process: subprocess.Popen[str], outside: Outside) -> tuple[int, str, str]:
    """Let every task work until the process ends."""
    task = ""
    while process.poll() is None and task != LAST:
        if outside.begins_within(0.05):
            task = outside.next_task()
            outside.let_go()
    return end(process)


def finished(asl: Asl) -> set[str]:
    """The tasks whose result is in the history, as far as there is one."""
    listed = asl("history", "chain", "--json")
    events = json.loads(listed.stdout)["events"] if listed.exit_code == 0 else []
    return {event["stateExitedEventDetails"]["name"] for event in events if event["type"] == "TaskStateExited"}


def start_or_resume(asl: Asl) -> subprocess.Popen[str]:
    """Go on with the chain; start it if a kill came before its start was durable."""
    exists = asl("describe", "chain").exit_code == 0
    command = ("resume", "chain") if exists else ("run", "chain.asl.json", "--name", "chain")
    return asl.start(*command, "--tasks", "tasks.py", "--json")


def run_until_killed(asl: Asl, outside: Outside, chance: random.Random) -> None:
    """Drive the chain in a process, and kill that at some moment before the last task ends."""
    process = start_or_resume(asl)
    match chance.choice(["starting", "under way", "ending", "in the next task"]):
        case "starting":
            outside.begins_within(chance.random() / 3)
        case "under way":
            outside.next_task()
        case "ending":
            if outside.next_task() != LAST:
                outside.let_go()
                outside.begins_within(chance.random() / 100)
        case _:
            if outside.next_task() != LAST:
                outside.let_go()
                outside.next_task()
    process.kill()
    end(process)
    outside.forget()


def test_killed_twenty_times_no_finished_task_runs_again(asl: Asl, outside: Outside) -> None:
    """At most the task that was under way is repeated, once for each kill. Chance draws the moments."""
    chance = random.Random(20)
    checkpoints = []
    for _ in range(KILLS):
        run_until_killed(asl, outside, chance)
        checkpoints.append((finished(asl), Counter(outside.record())))
    code, stdout, stderr = let_all_go(start_or_resume(asl), outside)

    assert (code, json.loads(stdout)["output"]) == (0, str(LENGTH)), stderr
    record = outside.record()
    assert list(dict.fromkeys(record)) == list(chain(LENGTH)["States"])
    assert len(record) - LENGTH <= KILLS
    for done, counted in checkpoints:
        assert {task: record.count(task) for task in done} == {task: counted[task] for task in done}


def test_the_history_of_an_execution_that_was_killed_has_no_gaps(asl: Asl, outside: Outside) -> None:
    chance = random.Random(3)
    for _ in range(3):
        run_until_killed(asl, outside, chance)
    let_all_go(start_or_resume(asl), outside)
    events = asl.json("history", "chain")["events"]

    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    assert Counter(event["type"] for event in events)["LambdaFunctionSucceeded"] == LENGTH


@pytest.mark.parametrize(
    ("number", "code", "options"),
    [(signal.SIGINT, 130, ()), (signal.SIGTERM, 143, ()), (signal.SIGINT, 130, ("--json",))],
)
def test_ctrl_c_detaches_and_says_how_to_go_on(
    asl: Asl, outside: Outside, number: int, code: int, options: tuple[str, ...]
) -> None:
    process = asl.start("run", "chain.asl.json", "--name", "chain", "--tasks", "tasks.py", *options)
    outside.next_task()
    process.send_signal(number)
    ended, stdout, stderr = end(process)

    assert ended == code
    assert stdout == ""
    assert "asl resume chain --tasks tasks.py" in stderr
    assert "Traceback" not in stderr
    outside.forget()
    assert let_all_go(start_or_resume(asl), outside)[0] == 0
    assert outside.record() == list(chain(LENGTH)["States"])


def test_a_second_ctrl_c_ends_a_process_that_a_task_has_stuck(asl: Asl, outside: Outside, write: Write) -> None:
    """A coroutine that blocks keeps the event loop from noticing the first."""
    write("tasks.py", TASKS.replace("def work", "async def work"))
    process = asl.start("run", "chain.asl.json", "--name", "chain", "--tasks", "tasks.py")
    outside.next_task()
    while process.poll() is None:
        process.send_signal(signal.SIGINT)
        outside.begins_within(0.05)

    assert end(process)[0] == 130
    assert asl.json("describe", "chain")["status"] == "RUNNING"


def test_an_execution_is_run_by_one_process_at_a_time(asl: Asl, outside: Outside) -> None:
    process = asl.start("run", "chain.asl.json", "--name", "chain", "--tasks", "tasks.py")
    outside.next_task()
    by_name = asl("resume", "chain", "--tasks", "tasks.py")
    all_open = asl("resume", "--tasks", "tasks.py")
    process.kill()
    end(process)

    assert by_name.exit_code == 2
    assert "is being run by another live process" in by_name.stderr
    assert all_open.exit_code == 2
    assert "chain is left alone" in all_open.stderr


def test_a_running_process_takes_a_stop_from_another(asl: Asl, outside: Outside) -> None:
    process = asl.start("run", "chain.asl.json", "--name", "chain", "--tasks", "tasks.py", "--json")
    outside.next_task()
    stopped = asl("stop", "chain", "--error", "Enough")
    code, stdout, _ = end(process)

    assert "the process that runs it takes the stop within a second" in stopped.stdout
    assert code == 1
    assert (json.loads(stdout)["status"], json.loads(stdout)["error"]) == ("ABORTED", "Enough")


def test_a_running_process_takes_an_answer_from_another(asl: Asl, write: Write) -> None:
    write("approval.asl.json", APPROVAL)
    write("tasks.py", APPROVAL_TASKS)
    process = asl.start("run", "approval.asl.json", "--name", "order-7", "--tasks", "tasks.py")
    assert process.stderr is not None
    while "waits for an answer" not in (line := process.stderr.readline()):
        assert line, "it ended before it waited"
    token = line.split()[-1]
    approved = asl("approve", token)
    again = asl("approve", token)

    assert "takes the answer within a second" in approved.stdout
    assert again.exit_code == 2
    assert "already over" in again.stderr
    assert end(process)[0] == 0
    assert (asl.directory / "shipped.txt").read_text() == "shipped\n"


def test_a_full_disk_ends_the_process_with_a_way_to_go_on(asl: Asl, outside: Outside, write: Write) -> None:
    """The limit on a file's size stands in for the end of the disk."""
    write("tasks.py", TASKS.replace("return (event or 0) + 1", "return os.urandom(100_000).hex()"))
    run = ["run", "chain.asl.json", "--name", "chain", "--tasks", "tasks.py"]
    process = asl.start(*run, file_bytes_max=400_000)
    code, stdout, stderr = let_all_go(process, outside)

    assert code == 2
    assert stdout == ""
    assert "executions.sqlite" in stderr
    assert "What was done so far is kept. Once this is mended: asl resume chain --tasks tasks.py" in stderr
    assert "Traceback" not in stderr
    before = finished(asl)
    outside.forget()
    assert 0 < len(before) < LENGTH
    assert let_all_go(start_or_resume(asl), outside)[0] == 0
    assert all(outside.record().count(task) == 1 for task in before)
