"""A deployment's directory: what is written into it, and what is left alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from asl_engine.deploy.configuration import NewDeployment
from asl_engine.deploy.terraform import TerraformDirectory
from asl_engine.deploy.wheels import Platform
from asl_engine.errors import AslError

NEW = NewDeployment(name="orders", region="eu-west-1", platform=Platform(), definitions=Path("definitions"))


@pytest.fixture
def module(tmp_path: Path) -> Path:
    directory = tmp_path / "module"
    (directory / "examples").mkdir(parents=True)
    (directory / "main.tf").write_text("# first\n", encoding="utf-8")
    return directory


def terraform_saying(directory: Path, outputs: object, code: int, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A command `terraform` that answers one thing; it notes how it was called."""
    directory.mkdir()
    command = directory / "terraform"
    noted = directory / "noted"
    command.write_text(f"#!/bin/sh\necho \"$@\" >> {noted}\necho '{json.dumps(outputs)}'\nexit {code}\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory}:/usr/bin:/bin")
    return noted


def test_the_module_is_renewed_and_the_configuration_is_yours(module: Path, tmp_path: Path) -> None:
    deployment = TerraformDirectory(tmp_path / "deployment")
    deployment.write(module, NEW)
    main = deployment.directory / "main.tf"
    assert 'name                  = "orders"' in main.read_text()
    assert 'region = "eu-west-1"' in main.read_text()

    main.write_text("# mine\n")
    (module / "main.tf").write_text("# second\n", encoding="utf-8")
    deployment.write(module, NEW)

    assert main.read_text() == "# mine\n"
    assert (deployment.directory / "asl-engine" / "main.tf").read_text() == "# second\n"
    assert not (deployment.directory / "asl-engine" / "examples").exists()


def test_terraform_runs_in_the_directory(module: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noted = terraform_saying(tmp_path / "bin", {}, 3, monkeypatch)
    deployment = TerraformDirectory(tmp_path / "deployment")
    deployment.write(module, NEW)

    assert deployment.run("plan", "-input=false") == 3
    assert noted.read_text() == f"-chdir={deployment.directory} plan -input=false\n"


def test_outputs_are_those_of_the_module(module: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terraform_saying(tmp_path / "bin", {"asl_engine": {"value": {"table_name": "orders"}}}, 0, monkeypatch)
    deployment = TerraformDirectory(tmp_path / "deployment")
    deployment.write(module, NEW)

    assert deployment.outputs() == {"table_name": "orders"}


@pytest.mark.parametrize(("outputs", "code"), [({}, 0), ({"asl_engine": {"value": {}}}, 1)])
def test_a_deployment_that_is_not_finished_has_none(
    outputs: object, code: int, module: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terraform_saying(tmp_path / "bin", outputs, code, monkeypatch)
    deployment = TerraformDirectory(tmp_path / "deployment")
    deployment.write(module, NEW)

    with pytest.raises(AslError, match="holds no finished deployment: run `asl deploy`"):
        deployment.outputs()


def test_nothing_runs_where_nothing_was_deployed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terraform_saying(tmp_path / "bin", {}, 0, monkeypatch)

    with pytest.raises(AslError, match="nothing was deployed from"):
        TerraformDirectory(tmp_path).run("destroy")


def test_a_machine_without_terraform_is_told_where_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(AslError, match="Terraform is not on the PATH: https://"):
        TerraformDirectory(tmp_path).run("plan")
