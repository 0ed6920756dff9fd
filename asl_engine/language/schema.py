"""The JSON Schema of definitions, for completion and checks in editors: `python -m asl_engine.language.schema`.

It is made of the parser's own tables, so an editor offers what the parser takes. Draft 7 is what editors know best.
What a schema cannot say (targets that exist, paths that compile) remains the parser's.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Final

from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.language.branch import BRANCH
from asl_engine.language.definition import QueryLanguage, StateType
from asl_engine.language.fields import BOTH, Field, FieldTable
from asl_engine.language.machine import MACHINE
from asl_engine.language.states import SYNTAXES
from asl_engine.language.states.choice import NESTED_RULE, RULE
from asl_engine.language.states.map import ITEM_PROCESSOR

_SCHEMA: Final = "http://json-schema.org/draft-07/schema#"


def definition_schema() -> JsonObject:
    """The schema of a whole definition."""
    return {
        "$schema": _SCHEMA,
        "title": "Amazon States Language",
        **_described(MACHINE),
        "definitions": {
            "branch": _described(BRANCH),
            "itemProcessor": _described(ITEM_PROCESSOR),
            "choiceRule": _described(RULE),
            "nestedRule": _described(NESTED_RULE),
            "state": _state(),
            **{str(kind): _described(syntax.table, kind) for kind, syntax in SYNTAXES.items()},
        },
    }


def _state() -> JsonObject:
    """Tells the states apart by Type, so that an editor's message is about that type alone."""
    rules: list[JsonValue] = [
        {
            "if": {"properties": {"Type": {"const": str(kind)}}, "required": ["Type"]},
            "then": {"$ref": f"#/definitions/{kind}"},
        }
        for kind in SYNTAXES
    ]
    return {
        "type": "object",
        "required": ["Type"],
        "properties": {"Type": {"enum": [str(kind) for kind in StateType], "description": "The type of the state."}},
        "allOf": rules,
    }


def _described(table: FieldTable, kind: str | None = None) -> JsonObject:
    """The fields of both query languages: which of them applies, a schema cannot know inside of a machine."""
    schema: JsonObject = {
        "type": "object",
        "properties": {name: _property(field, kind) for name, field in table.fields.items()},
        "required": [name for name, field in table.fields.items() if field.required and field.languages == BOTH],
        "additionalProperties": False,
    }
    return schema


def _property(field: Field, kind: str | None) -> JsonObject:
    if field.name == "Type" and kind is not None:
        return {"const": kind, "description": field.description}
    schemas = [field.kind.schema(language) for language in QueryLanguage if language in field.languages]
    suffix = "" if len(field.languages) > 1 else f" ({next(iter(field.languages))} only.)"
    return {**_any_of(schemas), "description": field.description + suffix}


def _any_of(schemas: Iterable[JsonObject]) -> JsonObject:
    distinct: list[JsonValue] = []
    for schema in schemas:
        if schema not in distinct:
            distinct.append(schema)
    only = distinct[0]
    if len(distinct) == 1 and isinstance(only, dict):
        return only
    return {"anyOf": distinct}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(definition_schema(), indent=2, ensure_ascii=False) + "\n")
