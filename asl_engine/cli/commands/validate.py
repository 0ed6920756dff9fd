"""`asl validate`: everything that is wrong with definitions, at once."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from asl_engine.cli import options
from asl_engine.cli.exit_codes import ALL_WELL, NOT_WELL, UNUSABLE
from asl_engine.errors import AslError

if TYPE_CHECKING:
    from asl_engine.json_value import JsonObject
    from asl_engine.language.diagnostics import Diagnostic

_DEFINITION_SUFFIXES: Final = (".asl.json", ".asl.yaml", ".asl.yml", ".asl")
_MAYBE_DEFINITION_SUFFIXES: Final = (".json", ".yaml", ".yml")
_RESULTS: Final = {ALL_WELL: "OK", NOT_WELL: "FAIL", UNUSABLE: "UNREADABLE"}
_DIRECTORIES_SKIPPED: Final = frozenset({"node_modules", "__pycache__"})


@click.command(
    "validate",
    epilog=options.examples(
        """
        asl validate order.asl.json
        asl validate state_machines/            # every definition below the directory
        asl validate order.asl.json --json | jq '.files[].diagnostics[] | select(.severity == "ERROR")'
        """
    ),
)
@click.argument("paths", metavar="FILE|DIR…", nargs=-1, required=True, type=click.Path(path_type=Path))
@options.as_json
def command(*, paths: tuple[Path, ...], as_json: bool) -> None:
    """Check definitions: structure, paths, expressions, transitions, and what will bite later.

    In a directory, every *.asl.json, *.asl.yaml, *.asl.yml and *.asl is checked, and every other JSON or YAML file with
    StartAt and States.

    Exit code: 0 accepted (there may be warnings), 1 rejected, 2 a file could not be read or none was found. With
    --json, a file that could not be read has the result UNREADABLE and an `error`.
    """
    checked = [_checked(file) for file in _files(paths)]
    exit_code = max(one.exit_code for one in checked)
    if as_json:
        from asl_engine.cli.results import json_text

        click.echo(
            json_text({"result": "FAIL" if exit_code else "OK", "files": [_file_as_json(one) for one in checked]})
        )
    else:
        _tell(checked)
    sys.exit(exit_code)


@dataclass(frozen=True, slots=True)
class _Checked:
    """A file, and what was found in it; or why it could not be read."""

    file: Path
    diagnostics: tuple[Diagnostic, ...] = ()
    error: str | None = None

    @property
    def exit_code(self) -> int:
        if self.error is not None:
            return UNUSABLE
        return NOT_WELL if any(map(_is_error, self.diagnostics)) else ALL_WELL


def _checked(file: Path) -> _Checked:
    from asl_engine.language.parser import load_definition

    try:
        return _Checked(file, load_definition(file, sdk_problem=_sdk_problem).diagnostics)
    except AslError as error:
        return _Checked(file, error=str(error))


def _sdk_problem(service: str, action: str) -> tuple[str, str] | None:
    from asl_engine.integrations.services import sdk_problem

    return sdk_problem(service, action)


def _tell(checked: list[_Checked]) -> None:
    for one in checked:
        for diagnostic in one.diagnostics:
            click.echo(_text(one.file, diagnostic))
    read = [one for one in checked if one.error is None]
    if read:
        click.echo(_summary(read))
    for one in checked:
        if one.error is not None:
            click.echo(f"Error: {one.error}", err=True)


def _files(paths: tuple[Path, ...]) -> list[Path]:
    """The files to check, each once. Raises AslError when there is none."""
    files = {file: None for path in paths for file in (_definitions_below(path) if path.is_dir() else (path,))}
    if not files:
        raise AslError(
            f"no definition was found below {', '.join(map(str, paths))}: "
            f"names end in {', '.join(_DEFINITION_SUFFIXES)}, or the file has StartAt and States"
        )
    return list(files)


def _definitions_below(directory: Path) -> Iterator[Path]:
    try:
        paths = sorted(directory.iterdir())
    except OSError as error:
        raise AslError(f"the directory {directory} cannot be read: {error.strerror}") from error
    for path in paths:
        if path.name.startswith("."):
            continue
        if path.is_dir():
            if path.name not in _DIRECTORIES_SKIPPED and not path.is_symlink():
                yield from _definitions_below(path)
        elif path.name.endswith(_DEFINITION_SUFFIXES) or (
            path.name.endswith(_MAYBE_DEFINITION_SUFFIXES) and _looks_like_a_definition(path)
        ):
            yield path


def _looks_like_a_definition(path: Path) -> bool:
    """Whether the text has the two keys of every definition. It is not parsed: it may be anything."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    if path.suffix == ".json":
        return '"StartAt"' in text and '"States"' in text
    return any(line.startswith("StartAt:") for line in text.splitlines()) and "\nStates:" in f"\n{text}"


def _is_error(diagnostic: Diagnostic) -> bool:
    return diagnostic.severity.value == "ERROR"


def _text(file: Path, diagnostic: Diagnostic) -> str:
    place = ":".join(str(part) for part in (file, diagnostic.line, diagnostic.column) if part is not None)
    severity = click.style(
        diagnostic.severity.value.lower(), fg="red" if _is_error(diagnostic) else "yellow", bold=True
    )
    location = click.style(f" at {diagnostic.location}", dim=True) if diagnostic.location else ""
    hint = f"\n    {click.style('hint:', fg='cyan')} {diagnostic.hint}" if diagnostic.hint else ""
    return f"{place}: {severity} {diagnostic.code.value}: {diagnostic.message}{location}{hint}"


def _as_json(diagnostic: Diagnostic) -> JsonObject:
    return {
        "severity": diagnostic.severity.value,
        "code": diagnostic.code.value,
        "message": diagnostic.message,
        "location": diagnostic.location,
        "line": diagnostic.line,
        "column": diagnostic.column,
        "hint": diagnostic.hint or None,
    }


def _file_as_json(checked: _Checked) -> JsonObject:
    shown: JsonObject = {
        "file": str(checked.file),
        "result": _RESULTS[checked.exit_code],
        "diagnostics": [*map(_as_json, checked.diagnostics)],
    }
    return shown if checked.error is None else shown | {"error": checked.error}


def _summary(checked: list[_Checked]) -> str:
    from asl_engine.language.diagnostics import PROBLEMS_MAX

    every = [diagnostic for one in checked for diagnostic in one.diagnostics]
    errors = sum(map(_is_error, every))
    warnings = len(every) - errors
    rejected = sum(one.exit_code == NOT_WELL for one in checked)
    verdict = (
        click.style("rejected", fg="red", bold=True) if rejected else click.style("accepted", fg="green", bold=True)
    )
    counted = [_counted(len(checked), "file")]
    if rejected and len(checked) > 1:
        counted.append(f"{rejected} of them rejected")
    told = f"{verdict}: {', '.join([*counted, _counted(errors, 'error'), _counted(warnings, 'warning')])}"
    is_cut = any(len(one.diagnostics) >= PROBLEMS_MAX for one in checked)
    return f"{told}; of one file no more than {PROBLEMS_MAX:,} are told" if is_cut else told


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
