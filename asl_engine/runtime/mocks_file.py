"""Load a mocks file: our own script, or the MockConfigFile.json of AWS Step Functions Local.

Ours, in JSON or YAML, lists an answer for each attempt, or cases that choose by the arguments:

    {"Charge": [{"Throw": {"Error": "Busy", "Cause": "…"}}, {"Return": {"paid": true}, "AfterSeconds": 5}],
     "lambda:invoke": [{"When": {"FunctionName": "ship"}, "Attempts": [{"Never": true, "Heartbeats": 10}]}]}

AWS's names its answers and groups them by state machine and test case:
https://docs.aws.amazon.com/step-functions/latest/dg/sfn-local-mock-cfg-file.html
Every problem is told with its place in the file as a JSON Pointer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from asl_engine.errors import InvalidJson, TasksFileError
from asl_engine.expressions.scope import ABSENT
from asl_engine.json_value import JsonValue, dump_json, json_type, parse_json
from asl_engine.runtime.clock import Clock
from asl_engine.runtime.marshalling import MarshalError, marshal
from asl_engine.runtime.mocked_test_cases import MockedTestCases
from asl_engine.runtime.mocks import Answer, Case, InvocationCount, Script, ScriptedTasks
from asl_engine.runtime.tasks import Failed, Succeeded

if TYPE_CHECKING:
    from asl_engine.language.source import Position

_ENTRY_FIELDS: Final = ("Return", "Throw", "Never", "AfterSeconds", "Heartbeats")
_ATTEMPTS = re.compile(r"(?P<first>[0-9]{1,9})(-(?P<last>[0-9]{1,9}))?")
_ATTEMPT_MAX: Final = 10_000


def load_mocks_file(
    path: str | Path,
    clock: Clock,
    *,
    state_machine_name: str | None = None,
    mock_state_machine: str | None = None,
    mock_test_case: str | None = None,
) -> ScriptedTasks:
    """The script of a mocks file, for one state machine and test case if it is one of Step Functions Local.

    There, the test case may be left out where the machine has only one. `state_machine_name` is what is run: the only
    machine of a file is taken whatever its name, unless `mock_state_machine` chooses. Raises TasksFileError.
    """
    root = _root(path)
    if not _has_test_cases(root):
        check_choices(root.source, mock_state_machine, mock_test_case)
        return ScriptedTasks(_script(root), clock)
    if mock_state_machine is None and len(_machines(root).object()) > 1:
        mock_state_machine = state_machine_name
    return ScriptedTasks(_mock_config(root, mock_state_machine, mock_test_case), clock, InvocationCount())


def load_servers_mocks(
    path: str | Path, clock: Clock, *, mock_state_machine: str | None = None, mock_test_case: str | None = None
) -> ScriptedTasks | MockedTestCases:
    """The script of a mocks file, or the test cases of one of Step Functions Local, for each execution to choose from.

    What is chosen here, or the only test case of all, is for executions that choose none. Raises TasksFileError.
    """
    root = _root(path)
    if not _has_test_cases(root):
        check_choices(root.source, mock_state_machine, mock_test_case)
        return ScriptedTasks(_script(root), clock)
    machines, responses = _machines(root), root.member("MockedResponses")
    scripts = {
        machine: {case: _states(states, responses) for case, states in _test_cases(node).members()}
        for machine, node in machines.members()
    }
    default: ScriptedTasks | None = None
    if (mock_state_machine, mock_test_case) != (None, None) or [len(cases) for cases in scripts.values()] == [1]:
        default = ScriptedTasks(_mock_config(root, mock_state_machine, mock_test_case), clock, InvocationCount())
    return MockedTestCases(scripts, clock, default)


def check_choices(source: str, mock_state_machine: str | None, mock_test_case: str | None) -> None:
    """Raises TasksFileError if something is chosen out of mocks that have no state machines and test cases."""
    for what, choice in (("state machine", mock_state_machine), ("test case", mock_test_case)):
        if choice is not None:
            raise TasksFileError(f'{source}: there is no {what} "{choice}": these mocks have no StateMachines')


def read_script(mocks: Mapping[str, object]) -> Script:
    """The script of a mapping that has the shape of our own mocks file. Raises TasksFileError."""
    try:
        return _script(_Node("mocks", "", marshal(dict(mocks))))
    except MarshalError as error:
        raise TasksFileError(f"mocks: {error}") from error


def _script(root: _Node) -> Script:
    return {name: tuple(_cases(node)) for name, node in root.members()}


@dataclass(frozen=True, slots=True)
class _Node:
    """A value of the file, and where it stands."""

    source: str
    pointer: str
    value: JsonValue

    def fail(self, expected: str) -> NoReturn:
        """Raise TasksFileError: place, what was found, what was expected."""
        found = dump_json(self.value)
        shown = found if len(found) <= 60 else f"{json_type(self.value)} {found[:57]}..."
        raise TasksFileError(f"{self.source}: {self.pointer or '/'}: expected {expected}, found {shown}")

    def object(self, expected: str = "an object") -> Mapping[str, JsonValue]:
        """The value, which must be an object."""
        return self.value if isinstance(self.value, dict) else self.fail(expected)

    def text(self) -> str:
        """The value, which must be a string."""
        return self.value if isinstance(self.value, str) else self.fail("a string")

    def milliseconds(self, smallest: int) -> int:
        """The value, which must be a number of seconds, in milliseconds."""
        if isinstance(self.value, bool) or not isinstance(self.value, int | float) or self.value * 1000 < smallest:
            self.fail("a number of seconds, 0 or more" if smallest == 0 else "a number of seconds above 0")
        return round(self.value * 1000)

    def members(self) -> Iterator[tuple[str, _Node]]:
        """The members of an object."""
        for name in self.object():
            yield name, self.member(name)

    def member(self, name: str) -> _Node:
        """One member that is there."""
        return _Node(self.source, f"{self.pointer}/{name.replace('~', '~0').replace('/', '~1')}", self.object()[name])

    def items(self, expected: str) -> list[_Node]:
        """The items of an array that is not empty."""
        if not isinstance(self.value, list) or not self.value:
            self.fail(expected)
        return [_Node(self.source, f"{self.pointer}/{index}", item) for index, item in enumerate(self.value)]

    def only(self, *names: str) -> None:
        """Refuse members with other names."""
        for name, node in self.members():
            if name not in names:
                raise TasksFileError(f"{node.source}: {node.pointer}: unknown field; the fields are {', '.join(names)}")


def _read(file: Path) -> JsonValue:
    try:
        text = file.read_bytes()
    except FileNotFoundError:
        raise TasksFileError(f"{file}: the mocks file does not exist; give the path of a JSON or YAML file") from None
    except OSError as error:
        raise TasksFileError(f"{file}: the mocks file cannot be read: {error.strerror}") from error
    try:
        return parse_json(text) if file.suffix.lower() == ".json" else _parse_yaml(file, text)
    except InvalidJson as error:
        raise TasksFileError(f"{file}: {error}") from error


def _parse_yaml(file: Path, text: bytes) -> JsonValue:
    from asl_engine.language.source import SourceError, decode
    from asl_engine.language.yaml_source import read_yaml

    try:
        source = read_yaml(decode(text))
    except SourceError as error:
        raise _invalid_yaml(file, error.message, error.position) from error
    if source.refused:
        raise _invalid_yaml(file, source.refused[0].message, source.refused[0].position)
    return source.value


def _invalid_yaml(file: Path, message: str, position: Position | None) -> TasksFileError:
    place = f" at line {position.line}, column {position.column}" if position else ""
    return TasksFileError(f"{file}: invalid YAML{place}: {message}")


def _cases(node: _Node) -> Iterator[Case]:
    entries = node.items("a list of answers, or of cases with When and Attempts")
    if not any({"When", "Attempts"} & entry.object().keys() for entry in entries):
        yield Case(answers=tuple(_answer(entry) for entry in entries))
        return
    for entry in entries:
        entry.only("When", "Attempts")
        members = entry.object()
        if "Attempts" not in members:
            entry.fail("a case with Attempts")
        attempts = entry.member("Attempts").items("a list of answers")
        yield Case(when=members.get("When", ABSENT), answers=tuple(_answer(attempt) for attempt in attempts))


def _answer(entry: _Node) -> Answer:
    entry.only(*_ENTRY_FIELDS)
    members = entry.object()
    result = _result(entry)
    return Answer(
        result=result,
        after_milliseconds=entry.member("AfterSeconds").milliseconds(0) if "AfterSeconds" in members else 0,
        heartbeat_milliseconds=entry.member("Heartbeats").milliseconds(1) if "Heartbeats" in members else None,
    )


def _result(entry: _Node) -> Succeeded | Failed | None:
    members = entry.object()
    match [name for name in ("Return", "Throw", "Never") if name in members]:
        case ["Return"]:
            return Succeeded(members["Return"])
        case ["Throw"]:
            return _failure(entry.member("Throw"))
        case ["Never"] if members["Never"] is True:
            return None
        case ["Never"]:
            return entry.member("Never").fail("true")
    return entry.fail('exactly one of "Return", "Throw" and "Never"')


def _failure(throw: _Node) -> Failed:
    if "Error" not in throw.object('{"Error": …, "Cause": …}'):
        throw.fail('{"Error": …, "Cause": …}')
    throw.only("Error", "Cause")
    cause = throw.member("Cause").text() if "Cause" in throw.object() else ""
    return Failed(throw.member("Error").text(), cause)


def _root(path: str | Path) -> _Node:
    file = Path(path)
    return _Node(str(file), "", _read(file))


def _has_test_cases(root: _Node) -> bool:
    """Whether the file is one of Step Functions Local."""
    return bool({"StateMachines", "MockedResponses"} & root.object().keys())


def _machines(root: _Node) -> _Node:
    root.only("StateMachines", "MockedResponses")
    for name in ("StateMachines", "MockedResponses"):
        if name not in root.object():
            root.fail(f'"{name}"')
    return root.member("StateMachines")


def _mock_config(root: _Node, state_machine: str | None, test_case: str | None) -> Script:
    machine = _choose(_machines(root), state_machine, "state machine")
    states = _choose(_test_cases(machine), test_case, "test case")
    return _states(states, root.member("MockedResponses"))


def _test_cases(machine: _Node) -> _Node:
    machine.only("TestCases")
    if "TestCases" not in machine.object():
        machine.fail('"TestCases"')
    return machine.member("TestCases")


def _states(states: _Node, responses: _Node) -> Script:
    return {state: (_mocked_response(responses, name),) for state, name in states.members()}


def _choose(node: _Node, name: str | None, what: str) -> _Node:
    known = sorted(node.object())
    if name is None and len(known) == 1:
        name = known[0]
    if name in known:
        return node.member(name)
    problem = f'no {what} is named "{name}"' if name is not None else f"choose a {what}"
    option = f"mock-{what.replace(' ', '-')}"
    raise TasksFileError(
        f"{node.source}: {node.pointer}: {problem}; the file has: {', '.join(known) or 'none'}; "
        f"choose with --{option}, in Python with {option.replace('-', '_')}="
    )


def _mocked_response(responses: _Node, name: _Node) -> Case:
    if name.text() not in responses.object():
        known = ", ".join(sorted(responses.object())) or "none"
        raise TasksFileError(
            f'{name.source}: {name.pointer}: no mocked response is named "{name.value}"; the file has: {known}'
        )
    response = responses.member(name.text())
    answers: dict[int, Answer] = {}
    for attempts, node in response.members():
        node.only("Return", "Throw")
        answer = _answer(node)
        answers |= dict.fromkeys(_attempt_numbers(node, attempts), answer)
    if sorted(answers) != list(range(len(answers))) or not answers:
        response.fail('answers for attempts from "0" on without a gap, such as "0" and "1-2"')
    return Case(answers=tuple(answers[index] for index in sorted(answers)))


def _attempt_numbers(node: _Node, attempts: str) -> range:
    match = _ATTEMPTS.fullmatch(attempts)
    first, last = (int(match["first"]), int(match["last"] or match["first"])) if match else (1, 0)
    if not first <= last <= _ATTEMPT_MAX:
        raise TasksFileError(
            f'{node.source}: {node.pointer}: "{attempts}" is no attempt such as "0", nor a range as "1-2"'
        )
    return range(first, last + 1)
