"""main.tf: what is written into it, and what is read back."""

from __future__ import annotations

from pathlib import Path

import pytest

from asl_engine.deploy.configuration import DEFAULTS, NewDeployment, agreed
from asl_engine.deploy.wheels import Platform
from asl_engine.errors import AslError


@pytest.fixture
def main(tmp_path: Path) -> Path:
    """A configuration beside the directory of its definitions, as a checkout has them."""
    new = NewDeployment(
        name="orders",
        region="eu-west-1",
        platform=Platform(architecture="x86_64", python="3.12"),
        definitions=tmp_path / "definitions",
        mail_from="approvals@example.com",
    )
    file = tmp_path / "deployment" / "main.tf"
    file.parent.mkdir()
    file.write_text(new.text(file.parent), encoding="utf-8")
    return file


def test_it_names_no_place_of_the_machine_it_was_written_on(main: Path, tmp_path: Path) -> None:
    assert str(tmp_path) not in main.read_text()
    assert 'definitions_directory = "${path.root}/../definitions"' in main.read_text()


def test_what_was_written_is_read_back(main: Path, tmp_path: Path) -> None:
    said = agreed(main, {"definitions_directory": str(tmp_path / "definitions")})

    assert said | {"definitions_directory": ""} == {
        "name": "orders",
        "region": "eu-west-1",
        "architecture": "x86_64",
        "runtime": "python3.12",
        "mail_from": "approvals@example.com",
        "definitions_directory": "",
    }


def test_a_directory_may_be_written_otherwise(main: Path, tmp_path: Path) -> None:
    main.write_text(main.read_text().replace("${path.root}/..", ".."), encoding="utf-8")

    assert agreed(main, {"definitions_directory": str(tmp_path / "definitions")})


def test_the_first_time_everything_is_agreed_on(tmp_path: Path) -> None:
    assert agreed(tmp_path / "main.tf", {"name": "orders"}) == {"name": "orders"}


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("architecture", "arm64", 'says architecture = "x86_64", and the command says "arm64"'),
        ("runtime", "python3.13", 'says runtime = "python3.12", and'),
        ("region", "us-east-1", 'says region = "eu-west-1", and'),
        ("definitions_directory", "other", 'definitions", and the command says "other"'),
    ],
)
def test_what_differs_is_refused_with_the_way_out(setting: str, value: str, said: str, main: Path) -> None:
    with pytest.raises(AslError) as refused:
        agreed(main, {setting: value})

    assert said in str(refused.value)
    assert "change it there and leave it out here, or deploy from another --directory" in str(refused.value)


def test_what_the_file_leaves_out_is_the_default(main: Path) -> None:
    main.write_text('module "asl_engine" {\n  source = "./asl-engine"\n  mail_from = null\n}\n', encoding="utf-8")

    assert agreed(main, {"architecture": "arm64"}) == dict(DEFAULTS)
    with pytest.raises(AslError, match="says nothing of mail_from"):
        agreed(main, {"mail_from": "approvals@example.com"})


@pytest.mark.parametrize("text", ["# mine\n", 'module "asl_engine" {\n  architecture = var.architecture\n}\n'])
def test_what_cannot_be_read_is_trusted(text: str, main: Path) -> None:
    """Terraform compares it with the archives before anything is changed."""
    main.write_text(text, encoding="utf-8")

    assert agreed(main, {"architecture": "x86_64"})["architecture"] == "x86_64"


def test_settings_of_other_blocks_are_not_taken_for_the_modules(main: Path) -> None:
    main.write_text(
        f'terraform {{\n  backend "s3" {{\n    region = "us-east-1"\n  }}\n}}\n{main.read_text()}', encoding="utf-8"
    )

    assert agreed(main, {"region": "eu-west-1"})["region"] == "eu-west-1"


def test_a_processor_that_functions_do_not_have_is_refused() -> None:
    with pytest.raises(AslError, match="functions run on arm64 or x86_64"):
        Platform.of("riscv", "python3.13")
