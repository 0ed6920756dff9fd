"""main.tf of a deployment: written once, read back ever after.

It belongs to the person who deploys, so a command that says something else is refused, never obeyed by half.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from asl_engine.deploy.wheels import Platform
from asl_engine.errors import AslError

CONFIGURATION: Final = "main.tf"
PACKAGES: Final = "packages"
MODULE: Final = "asl-engine"
OUTPUT: Final = "asl_engine"
# Variables of the module that `asl deploy` has an option for, with their defaults.
DEFAULTS: Final[Mapping[str, str]] = {
    "name": "asl-engine",
    "architecture": "arm64",
    "runtime": "python3.13",
    "mail_from": "",
    "definitions_directory": "",
}

_MAIN: Final = """\
# Yours from here on: `asl deploy` writes this file once and never again. Add a backend to share the state.

provider "aws" {{
  region = "{region}"
}}

module "asl_engine" {{
  source                = "./{module}"
  name                  = "{name}"
  packages_directory    = "${{path.root}}/{packages}"
  architecture          = "{architecture}"
  runtime               = "{runtime}"
  definitions_directory = "{definitions}"
{mail}}}

output "{output}" {{
  value = module.asl_engine
}}
"""
_BLOCK: Final = r"^{}[ \t]*\{{[ \t]*\n(?P<body>.*?)^\}}"
_SETTING: Final = re.compile(r"^[ \t]*(?P<name>\w+)[ \t]*=[ \t]*(?P<value>.*?)[ \t]*$", re.MULTILINE)
_TEXT: Final = re.compile(r'"(?P<text>[^"]*)"')
_HERE: Final = "${path.root}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDeployment:
    """What a configuration says when it is written for the first time."""

    name: str
    region: str
    platform: Platform
    definitions: Path
    mail_from: str = ""

    def text(self, directory: Path) -> str:
        """The configuration. Paths are relative to it, so that it is good in a checkout of somebody else."""
        definitions = Path(os.path.relpath(self.definitions.resolve(), directory.resolve())).as_posix()
        return _MAIN.format(
            region=self.region,
            name=self.name,
            architecture=self.platform.architecture,
            runtime=self.platform.runtime,
            definitions=f"{_HERE}/{definitions}",
            mail=f'  mail_from             = "{self.mail_from}"\n' if self.mail_from else "",
            module=MODULE,
            packages=PACKAGES,
            output=OUTPUT,
        )


def agreed(file: Path, asked: Mapping[str, str]) -> dict[str, str]:
    """What the file says and what is asked for, together. Raises AslError where they differ."""
    configured = _configured(file)
    for name, value in asked.items():
        found = configured.get(name, value)
        if name == "definitions_directory" and found and Path(file.parent, found).resolve() == Path(value).resolve():
            continue
        if found != value:
            says = f'says {name} = "{found}"' if found else f"says nothing of {name}"
            raise AslError(
                f'{file} {says}, and the command says "{value}": change it there and leave it out here, '
                "or deploy from another --directory"
            )
    return {**configured, **asked}


def _configured(file: Path) -> dict[str, str]:
    """What the file says in so many words, and defaults for what it leaves out. What it computes is not known here."""
    if not file.is_file():
        return {}
    text = file.read_text(encoding="utf-8")
    module = _settings(text, f'module "{OUTPUT}"')
    if not module:
        return {}
    region = {name: value for name, value in _settings(text, 'provider "aws"').items() if name == "region"}
    told = {**DEFAULTS, **{name: value for name, value in module.items() if name in DEFAULTS}, **region}
    return {name: value for name, value in told.items() if value is not None}


def _settings(text: str, head: str) -> dict[str, str | None]:
    """The settings of a block by their names; None for those that are computed."""
    block = re.search(_BLOCK.format(re.escape(head)), text, re.MULTILINE | re.DOTALL)
    found = _SETTING.finditer(block["body"]) if block else ()
    return {each["name"]: _literal(each["value"]) for each in found if each["value"] != "null"}


def _literal(value: str) -> str | None:
    text = _TEXT.match(value)
    # Terraform runs in the directory of the file.
    found = text["text"].replace(_HERE, ".") if text else "${"
    return None if "${" in found else found
