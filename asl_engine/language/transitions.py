"""Where states lead: every target exists in its own branch, every state is reached, and an end can be reached."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.language.definition import StateType
from asl_engine.language.diagnostics import DiagnosticCode, Problems, did_you_mean
from asl_engine.language.place import BranchReading, Transition


def check_transitions(readings: Sequence[BranchReading], problems: Problems) -> None:
    """Report targets that do not exist, states that nothing reaches, names used twice, and branches without an end."""
    seen: dict[str, BranchReading] = {}
    for reading in readings:
        for name in reading.states:
            _check_unique(name, reading, seen, problems)
    for reading in readings:
        if not reading.states:
            continue  # that they are missing has been reported
        misses_target = _check_targets(reading, seen, problems)
        reached = _check_reachable(reading, problems)
        if misses_target:
            continue  # the end of the branch may be behind it
        if any(_may_end(state) for state in reading.states.values()):
            _check_way_out(reading, reached, problems)
        else:
            problems.error(
                (*reading.location, "States"),
                "no state ends the branch: executions that enter it can only fail or go on for ever",
                code=DiagnosticCode.MISSING_END_STATE,
                hint='give one state "End": true, or add a Succeed or Fail state',
            )


def _check_unique(name: str, reading: BranchReading, seen: dict[str, BranchReading], problems: Problems) -> None:
    if seen.setdefault(name, reading) is not reading:
        problems.error(
            (*reading.location, "States", name),
            f'a state named "{name}" already exists in another branch',
            code=DiagnosticCode.DUPLICATE_STATE_NAME,
            hint="state names are unique in the whole machine: rename one of them",
        )


def _check_targets(reading: BranchReading, seen: Mapping[str, BranchReading], problems: Problems) -> bool:
    """Report missing targets, and tell whether there are any."""
    missing = [transition for transition in reading.transitions if transition.target not in reading.states]
    for transition in missing:
        problems.error(
            transition.location,
            f"Missing '{transition.location[-1]}' target: {transition.target}",
            code=DiagnosticCode.MISSING_TRANSITION_TARGET,
            hint=_target_hint(transition, reading, seen),
        )
    return bool(missing)


def _target_hint(transition: Transition, reading: BranchReading, seen: Mapping[str, BranchReading]) -> str:
    if transition.target in seen:
        return "a state of that name is in another branch: a branch cannot be left or entered by Next"
    return did_you_mean(transition.target, reading.states)


def _check_reachable(reading: BranchReading, problems: Problems) -> set[str]:
    """Report states that nothing leads to. Returns the others."""
    following: dict[str, list[str]] = {}
    for transition in reading.transitions:
        following.setdefault(transition.source, []).append(transition.target)
    reached = _connected((target for target in following.get("", ()) if target in reading.states), following)
    if not reached:
        return reached
    for name in reading.states:
        if name not in reached:
            problems.error(
                (*reading.location, "States", name),
                f'State "{name}" is not reachable.',
                code=DiagnosticCode.MISSING_TRANSITION_TARGET,
                hint="let a Next, Default or Catch lead to it, or remove it",
            )
    return reached


def _connected(names: Iterable[str], neighbours: Mapping[str, Sequence[str]]) -> set[str]:
    """These and all that can be come to from them."""
    found = list(names)
    known = set(found)
    while found:
        for name in neighbours.get(found.pop(), ()):
            if name not in known:
                known.add(name)
                found.append(name)
    return known


def _check_way_out(reading: BranchReading, reached: set[str], problems: Problems) -> None:
    """Warn of the first state that is reached and from which no end can be."""
    leading: dict[str, list[str]] = {}
    for transition in reading.transitions:
        leading.setdefault(transition.target, []).append(transition.source)
    out = _connected((name for name, state in reading.states.items() if _may_end(state)), leading)
    trapped = [name for name in reading.states if name in reached and name not in out]
    if trapped:
        others = f", nor from {len(trapped) - 1} more" if len(trapped) > 1 else ""
        problems.warning(
            (*reading.location, "States", trapped[0]),
            f"no end can be reached from this state{others}: executions that enter it can only fail or go on for ever",
            code=DiagnosticCode.MISSING_END_STATE,
            hint='let one of them lead out, to a state with "End": true or a Succeed or Fail state',
        )


def _may_end(state: JsonValue) -> bool:
    """Whether a state ends its branch, or is too broken to tell."""
    if not isinstance(state, dict):
        return True
    return "End" in state or _type(state) not in _GOES_ON


def _type(state: JsonObject) -> str:
    kind = state.get("Type")
    return kind if isinstance(kind, str) else ""


_GOES_ON = frozenset(kind for kind in StateType if kind not in (StateType.SUCCEED, StateType.FAIL))
