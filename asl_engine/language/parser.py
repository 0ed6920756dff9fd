"""Definitions from text: a StateMachine, or everything that is wrong.

All problems are found in one pass. A part that cannot be read is reported and left out, and reading goes on behind it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from asl_engine.errors import AslError, InvalidDefinition, InvalidJson
from asl_engine.json_value import JsonObject, JsonValue, dump_json
from asl_engine.language.branch import read_branch, read_query_language
from asl_engine.language.definition import Branch, QueryLanguage, StateMachine
from asl_engine.language.diagnostics import (
    PROBLEMS_MAX,
    Diagnostic,
    DiagnosticCode,
    Location,
    Problem,
    Problems,
    Severity,
    pointer,
    printable,
)
from asl_engine.language.fields import Attributes, expected
from asl_engine.language.machine import MACHINE
from asl_engine.language.place import Compilation, Place, shown
from asl_engine.language.source import Position, Refused, Source, SourceError, decode, read_json, too_deep
from asl_engine.language.states import SYNTAXES
from asl_engine.language.transitions import check_transitions
from asl_engine.language.variables import check_scopes

if TYPE_CHECKING:
    from pathlib import Path

    from asl_engine.language.advice import SdkProblem


@dataclass(frozen=True, slots=True)
class Parsed:
    """What became of a text. `machine` is None if and only if a diagnostic is an ERROR."""

    machine: StateMachine | None
    diagnostics: tuple[Diagnostic, ...]


def parse_definition(
    text: str | bytes,
    *,
    yaml: bool = False,
    source_name: str | None = None,
    express: bool = False,
    any_resource: bool = True,
    sdk_problem: SdkProblem | None = None,
) -> Parsed:
    """Read a definition and report everything that is wrong with it or will surprise. Never raises.

    `source_name` is the file's name, for diagnostics. `express` adds the rules of Express workflows. A Resource may be
    any URI by the specification, and AWS admits only what it knows: with `any_resource` another one is a warning.
    With `sdk_problem`, which knows what the AWS SDK has, so is an `aws-sdk:` call of anything else.
    """
    try:
        source = _read(text, yaml=yaml)
        machine, problems = _checked(source, express=express, any_resource=any_resource, sdk_problem=sdk_problem)
        found = _located(problems, source, source_name)
        if source.duplicates:
            first = _read(text, yaml=yaml, first=True)
            _, problems_of_first = _checked(first, express=express, any_resource=any_resource, sdk_problem=sdk_problem)
            found |= _located(_within_twins(problems_of_first, first), first, source_name)
    except SourceError as error:
        return Parsed(None, (_unreadable(error, source_name),))
    except RecursionError:
        return Parsed(None, (_unreadable(too_deep(), source_name),))
    code = DiagnosticCode.INVALID_YAML if yaml else DiagnosticCode.INVALID_JSON_DESCRIPTION
    found |= dict.fromkeys(_refused(one, code, source_name) for one in source.refused[:PROBLEMS_MAX])
    diagnostics = tuple(sorted(found, key=lambda one: (one.line or 0, one.column or 0)))
    if machine is None or problems.errors or source.refused:
        return Parsed(None, diagnostics)
    return Parsed(_with_warnings(machine, diagnostics), diagnostics)


def parse_state(state: JsonValue, *, name: str = "StateName") -> Parsed:
    """Read one state by itself, as TestState does: what it leads to need not exist. Never raises."""
    problems = Problems()
    definition: JsonObject = {"StartAt": name, "States": {name: state}}
    try:
        machine = _compile(definition, problems, any_resource=False, alone=True)
    except RecursionError:
        return Parsed(None, (_unreadable(too_deep(), None),))
    diagnostics = tuple(_diagnostic(problem, {}, None) for problem in problems)
    return Parsed(machine, diagnostics)


def compile_definition(definition: JsonObject | str) -> StateMachine:
    """The machine of a definition that is expected to be right; the quick way, without advice.

    The definition is copied: changing it afterwards changes nothing. Raises InvalidDefinition with all diagnostics.
    """
    try:
        text = definition if isinstance(definition, str) else dump_json(definition)
    except InvalidJson as error:
        raise InvalidDefinition([_unreadable(SourceError(error.reason), None)]) from error
    problems = Problems()
    machine = None
    try:
        source = read_json(decode(text))
        if not source.duplicates and not source.refused:
            machine = _compile(source.value, problems)
    except (SourceError, RecursionError):
        machine = None
    if machine is None or problems.errors:
        raise InvalidDefinition(parse_definition(text).diagnostics)
    return machine


def load_definition(path: Path, *, sdk_problem: SdkProblem | None = None) -> Parsed:
    """Read a definition file by its extension. Raises AslError if it cannot be read or has another extension."""
    if path.suffix not in _YAML_SUFFIXES + _JSON_SUFFIXES:
        known = ", ".join(_JSON_SUFFIXES + _YAML_SUFFIXES)
        raise AslError(f"{path} is no definition file: its name must end in one of {known}")
    try:
        text = path.read_bytes()
    except OSError as error:
        raise AslError(f"the definition {path} cannot be read: {error.strerror or error}") from error
    yaml = path.suffix in _YAML_SUFFIXES
    return parse_definition(text, yaml=yaml, source_name=str(path), sdk_problem=sdk_problem)


def _read(text: str | bytes, *, yaml: bool, first: bool = False) -> Source:
    decoded = decode(text)
    if not yaml:
        return read_json(decoded, first=first)
    from asl_engine.language.yaml_source import read_yaml

    return read_yaml(decoded, first=first)


def _checked(
    source: Source, *, express: bool, any_resource: bool, sdk_problem: SdkProblem | None
) -> tuple[StateMachine | None, Problems]:
    from asl_engine.language.advice import advise

    problems = Problems(frozenset(one.location for one in source.refused))
    _report_duplicates(source, problems)
    machine = _compile(source.value, problems, express=express, any_resource=any_resource)
    advise(_query_language_beside_states(source.value, problems), problems, sdk_problem)
    return machine, problems


def _within_twins(problems: Problems, source: Source) -> Iterator[Problem]:
    """The problems inside of members given twice; in what else there is, one twin alone may be the cause."""
    twins = {location for location, _ in source.duplicates}
    for problem in problems:
        around = (problem.member[:length] for length in range(len(problem.member) + 1))
        if problem.code not in _TWICE and not twins.isdisjoint(around):
            yield problem


def _compile(
    definition: JsonValue, problems: Problems, *, express: bool = False, any_resource: bool = True, alone: bool = False
) -> StateMachine | None:
    compilation = Compilation(problems=problems, syntaxes=SYNTAXES, express=express, any_resource=any_resource)
    place = Place(compilation, (), QueryLanguage.JSONPATH)
    read = _query_language_beside_states(definition, problems)
    if not isinstance(definition, dict) or not isinstance(read, dict):
        expected(place, "an object", definition)
        return None
    if "QueryLanguage" in read:
        compilation.query_language = read_query_language(read["QueryLanguage"], place)
        place = place.in_language(compilation.query_language)
    root, attributes = read_branch(MACHINE, read, place, key="", outer=None)
    check_transitions(compilation.readings[1:] if alone else compilation.readings, problems)
    check_scopes(compilation.readings, problems)
    if root is None or problems.errors:
        return None
    return _machine(definition, root, compilation, attributes)


def _query_language_beside_states(definition: JsonValue, problems: Problems) -> JsonValue:
    """The definition with a QueryLanguage that was written among the states where it was meant: beside them.

    Deployed definitions have it so. Nothing else can be meant: it is no object, so it is no state.
    """
    states = definition.get("States") if isinstance(definition, dict) and "QueryLanguage" not in definition else None
    language = states.get("QueryLanguage") if isinstance(states, dict) else None
    if not isinstance(definition, dict) or not isinstance(states, dict) or not isinstance(language, str):
        return definition
    problems.warning(
        ("States", "QueryLanguage"),
        "QueryLanguage is written among the states; it is taken for the machine's",
        code=DiagnosticCode.MISPLACED_FIELD,
        hint="write it beside States, where AWS documents it",
    )
    named = {name: state for name, state in states.items() if name != "QueryLanguage"}
    return {**definition, "QueryLanguage": language, "States": named}


def _machine(definition: JsonObject, root: Branch, compilation: Compilation, attributes: Attributes) -> StateMachine:
    content = dump_json(definition).encode("utf-8", "surrogatepass")
    return StateMachine(
        definition=definition,
        sha256=hashlib.sha256(content).hexdigest(),
        root=root,
        branches=compilation.branches,
        timeout_seconds=attributes.get("timeout_seconds"),
        query_language=compilation.query_language,
        comment=attributes.get("comment"),
        version=attributes.get("version", "1.0"),
    )


def _report_duplicates(source: Source, problems: Problems) -> None:
    for location, _ in source.duplicates:
        problems.error(
            location,
            f"the key {shown(location[-1])} occurs twice in the same object",
            code=_duplicate_code(location),
            hint="rename or remove one: only the last of them would count",
        )


def _duplicate_code(location: Location) -> DiagnosticCode:
    if len(location) > 1 and location[-2] == "States":
        return DiagnosticCode.DUPLICATE_STATE_NAME
    return DiagnosticCode.DUPLICATE_KEY


def _located(problems: Iterable[Problem], source: Source, source_name: str | None) -> dict[Diagnostic, None]:
    found = list(problems)
    positions = source.positions() if found else {}
    return dict.fromkeys(_diagnostic(problem, positions, source_name) for problem in found)


def _refused(refused: Refused, code: DiagnosticCode, source_name: str | None) -> Diagnostic:
    return Diagnostic(
        severity=Severity.ERROR,
        code=code,
        location=printable(pointer(refused.location)),
        message=printable(refused.message),
        hint=refused.hint,
        line=refused.position.line,
        column=refused.position.column,
        source_name=source_name,
    )


def _diagnostic(problem: Problem, positions: Mapping[Location, Position], source_name: str | None) -> Diagnostic:
    member = problem.member
    while member and member not in positions:
        member = member[:-1]
    position = positions.get(member)
    return Diagnostic(
        severity=problem.severity,
        code=problem.code,
        location=printable(pointer(problem.location)),
        message=printable(problem.message),
        hint=printable(problem.hint, lines=True),
        line=position.line if position else None,
        column=position.column if position else None,
        source_name=source_name,
    )


def _unreadable(error: SourceError, source_name: str | None) -> Diagnostic:
    position = error.position
    return Diagnostic(
        severity=Severity.ERROR,
        code=error.code,
        location="",
        message=error.message,
        hint=error.hint,
        line=position.line if position else None,
        column=position.column if position else None,
        source_name=source_name,
    )


def _with_warnings(machine: StateMachine, diagnostics: tuple[Diagnostic, ...]) -> StateMachine:
    return replace(machine, warnings=tuple(str(diagnostic) for diagnostic in diagnostics)) if diagnostics else machine


_TWICE: Final = frozenset({DiagnosticCode.DUPLICATE_KEY, DiagnosticCode.DUPLICATE_STATE_NAME})
_JSON_SUFFIXES: Final = (".json", ".asl")
_YAML_SUFFIXES: Final = (".yaml", ".yml")
