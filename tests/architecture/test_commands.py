"""Every command of `asl` says what it does, shows an example, and is in the README."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

import asl_engine.cli.main
from tests.architecture.source_tree import ROOT, text

ASL = next(value for value in vars(asl_engine.cli.main).values() if isinstance(value, click.Group))


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words that lead to each command, `asl` itself first."""
    yield path
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None, f"{name} is listed but cannot be loaded"
            yield from commands(child, (*path, name))


COMMANDS = [pytest.param(path, id=" ".join(("asl", *path))) for path in commands(ASL)]


@pytest.mark.parametrize("path", COMMANDS)
def test_help_says_what_a_command_does_and_shows_an_example(path: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(ASL, [*path, "--help"], prog_name="asl")

    assert shown.exit_code == 0
    _, _, described = shown.output.partition("\n")
    assert described.split("Options:")[0].strip()
    assert "Example" in shown.output
    assert " ".join(("asl", *path)) in shown.output.partition("Example")[2]


@pytest.mark.parametrize("path", COMMANDS)
def test_every_option_is_explained(path: tuple[str, ...]) -> None:
    command: click.Command = ASL
    for name in path:
        assert isinstance(command, click.Group)
        command = command.get_command(click.Context(command), name) or command
    unexplained = [each.name for each in command.params if isinstance(each, click.Option) and not each.help]

    assert unexplained == []


@pytest.mark.parametrize("path", COMMANDS)
def test_the_readme_names_the_command(path: tuple[str, ...]) -> None:
    assert " ".join(("asl", *path)) in text(ROOT / "README.md")
