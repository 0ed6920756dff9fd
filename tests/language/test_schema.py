import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import asl_engine.language
from asl_engine.language.schema import definition_schema
from asl_engine.language.states import SYNTAXES
from tests.language.definitions import END, SHIP, errors, machine_of
from tests.language.test_parser import VALID

COMMITTED = Path(asl_engine.language.__file__).parent / "asl.schema.json"
MALFORMED: list[Any] = [
    [],
    {"StartAt": "A"},
    machine_of(END, Versionn="1.0"),
    machine_of({"Type": "Pas"}),
    machine_of({"Next": "A"}),
    machine_of({"Type": "Task"}),
    machine_of({"Type": "Task", "Resource": ""}),
    machine_of({"Type": "Task", "Resource": SHIP, "TimeoutSeconds": 0}),
    machine_of({"Type": "Task", "Resource": SHIP, "Retry": [{"ErrorEquals": []}]}),
    machine_of({"Type": "Wait", "Seconds": -1}),
    machine_of({"Type": "Fail", "Next": "A"}),
    machine_of({"Type": "Choice", "Choices": []}),
    machine_of(
        {"Type": "Choice", "Choices": [{"And": [{"Variable": "$.a", "IsNull": True, "Next": "A"}], "Next": "A"}]}
    ),
    machine_of({"Type": "Parallel", "Branches": [[]]}),
    machine_of({"Type": "Map", "ItemProcessor": {"StartAt": "A"}}),
    machine_of({"Type": "Map", "ItemProcessor": {"StartAt": "In", "States": {"In": END}, "Mode": "INLINE"}}),
]


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft7Validator:
    schema = definition_schema()
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


def test_the_committed_schema_is_the_generated_one() -> None:
    """If this fails: python -m asl_engine.language.schema > asl_engine/language/asl.schema.json."""
    printed = subprocess.run(
        [sys.executable, "-m", "asl_engine.language.schema"], capture_output=True, text=True, check=True
    ).stdout

    assert COMMITTED.read_text(encoding="utf-8") == printed
    assert json.loads(printed) == definition_schema()


@pytest.mark.parametrize("definition", VALID)
def test_what_the_parser_accepts_the_schema_accepts(validator: jsonschema.Draft7Validator, definition: Any) -> None:
    assert errors(definition) == []
    assert list(validator.iter_errors(definition)) == []


@pytest.mark.parametrize("definition", MALFORMED)
def test_what_is_malformed_both_refuse(validator: jsonschema.Draft7Validator, definition: Any) -> None:
    assert errors(definition) != []
    assert not validator.is_valid(definition)


def test_every_field_is_described() -> None:
    schema: Any = definition_schema()
    tables = [definition for definition in schema["definitions"].values() if "properties" in definition]
    assert len(tables) > len(SYNTAXES)
    for table in (schema, *tables):
        assert all(field["description"].endswith((".", ".)")) for field in table["properties"].values())
