"""The fields that several types of states have, one row each."""

from __future__ import annotations

from typing import Final

from asl_engine.json_value import JsonObject
from asl_engine.language.definition import QueryLanguage, StateType
from asl_engine.language.diagnostics import DiagnosticCode
from asl_engine.language.fields import JSONATA, JSONPATH, Field
from asl_engine.language.kinds import Boolean, Ignored, JsonPath, ResultPath, StateName, Template
from asl_engine.language.place import Place
from asl_engine.language.variables import VariableAssignment

COMMENT: Final = Field("Comment", Ignored({"type": "string"}), "A description for readers; never evaluated.")
TYPE: Final = Field(
    "Type", Ignored({"enum": [str(kind) for kind in StateType]}), "The type of the state.", required=True
)
QUERY_LANGUAGE: Final = Field(
    "QueryLanguage",
    Ignored({"enum": [str(language) for language in QueryLanguage]}),
    "The query language of this state. A JSONata machine cannot hold JSONPath states.",
)
NEXT: Final = Field("Next", StateName(), "The state that follows.", "next")
END: Final = Field("End", Boolean(), "true: this state ends the machine, branch or iteration.")
INPUT_PATH: Final = Field(
    "InputPath",
    JsonPath(nullable=True),
    "Selects what the state works on from its input. null gives {}.",
    "input_path",
    JSONPATH,
)
OUTPUT_PATH: Final = Field(
    "OutputPath",
    JsonPath(nullable=True),
    "Selects what the state passes on from its result. null gives {}.",
    "output_path",
    JSONPATH,
)
PARAMETERS: Final = Field(
    "Parameters",
    Template(),
    "Builds the effective input. Names that end in .$ hold a JSONPath or an intrinsic function call.",
    "parameters",
    JSONPATH,
)
ARGUMENTS: Final = Field(
    "Arguments", Template(), "Builds what the task or the branches receive.", "parameters", JSONATA
)
RESULT_SELECTOR: Final = Field(
    "ResultSelector", Template(object_only=True), "Rebuilds the result, before ResultPath.", "result_selector", JSONPATH
)
RESULT_PATH: Final = Field(
    "ResultPath",
    ResultPath(),
    "Where the result is put into the input. null discards the result.",
    "result_path",
    JSONPATH,
)
ASSIGN: Final = Field("Assign", VariableAssignment(), "Variables that later states can read.", "assign")
OUTPUT: Final = Field("Output", Template(), "Builds what the state passes on.", "output", JSONATA)

EVERY_STATE: Final = (TYPE, COMMENT, QUERY_LANGUAGE)
TRANSITION: Final = (NEXT, END)
PATHS: Final = (INPUT_PATH, OUTPUT_PATH)


def check_transition(value: JsonObject, place: Place) -> None:
    """Report a state that does not say, or says twice, what comes after it."""
    ends = value.get("End") is True
    if ends and "Next" in value:
        place.error(
            "at most one of these fields can be given: [Next, End]",
            "Next",
            code=DiagnosticCode.EXCLUSIVE_FIELDS,
            hint="remove Next or End",
        )
    elif not ends and "Next" not in value:
        place.error("exactly one of these fields is required: [Next, End]", hint='add "Next" or "End": true')


def discards_result(value: JsonObject) -> bool:
    """Whether ResultPath is null."""
    return "ResultPath" in value and value["ResultPath"] is None
