"""The fields of a distributed Map: where items come from, how they are batched, where results go.

Their form is checked and their expressions compiled once for errors; the compiled state keeps them as written.
"""

from typing import Final

from asl_engine.json_value import JsonValue
from asl_engine.language.fields import JSONATA, JSONPATH, Field, FieldTable, expected
from asl_engine.language.kinds import Custom, Nested, Number, OneOf, OrJsonata, RequiredPath, Template, Text
from asl_engine.language.place import Place
from asl_engine.language.resource import PLACEHOLDER
from asl_engine.language.state_fields import COMMENT

_READERS: Final = ("s3:getObject", "s3:listObjectsV2")
_WRITERS: Final = ("s3:putObject",)
_INPUT_BYTES_MAX: Final = 262_144
_ITEMS_MAX: Final = 100_000_000


def _resource(actions: tuple[str, ...]) -> Field:
    def read(value: JsonValue, place: Place, name: str) -> None:
        if not isinstance(value, str):
            expected(place, "an ARN", value, name)
        elif not PLACEHOLDER.search(value) and not (value.startswith("arn:") and value.endswith(actions)):
            known = " or ".join(f"arn:aws:states:::{action}" for action in actions)
            place.error(f"The resource provided {value} is not recognized.", name, hint=f"write {known}")

    schema = Custom(read, lambda _language: {"type": "string", "pattern": r"^(arn:|\$\{)"})
    return Field("Resource", schema, f"The S3 action: {' or '.join(actions)}.")


_PARAMETERS: Final = Field("Parameters", Template(), "The parameters of the S3 action.", languages=JSONPATH)
_ARGUMENTS: Final = Field("Arguments", Template(), "The arguments of the S3 action.", languages=JSONATA)


class _Strings:
    """The kind of CSVHeaders."""

    def read(self, value: JsonValue, place: Place, name: str) -> None:
        """Nothing; reports what is no array of strings."""
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            expected(place, "an array of strings", value, name)

    def schema(self, _language: object) -> dict[str, JsonValue]:
        """An array of strings."""
        return {"type": "array", "items": {"type": "string"}}


_READER_CONFIG: Final = FieldTable(
    "ReaderConfig",
    Field("InputType", OneOf(("CSV", "JSON", "JSONL", "MANIFEST", "PARQUET")), "The format of the items."),
    Field("Transformation", OneOf(("NONE", "LOAD_AND_FLATTEN")), "Whether objects that are listed are also read."),
    Field("ManifestType", OneOf(("S3_INVENTORY", "ATHENA_DATA")), "The kind of manifest."),
    Field("CSVDelimiter", OneOf(("COMMA", "PIPE", "SEMICOLON", "SPACE", "TAB")), "What separates CSV fields."),
    Field("CSVHeaderLocation", OneOf(("FIRST_ROW", "GIVEN")), "Where the names of the columns are."),
    Field("CSVHeaders", _Strings(), "The names of the columns, where CSVHeaderLocation is GIVEN."),
    Field("ItemsPointer", Text(), "A JSON Pointer to the array inside a JSON file."),
    Field("MaxItems", OrJsonata(Number(least=0, most=_ITEMS_MAX), "number"), "How many items to read at most."),
    Field("MaxItemsPath", RequiredPath(), "A path to MaxItems.", languages=JSONPATH),
    COMMENT,
    exclusive=[("MaxItems", "MaxItemsPath")],
)
_ITEM_READER: Final = FieldTable(
    "ItemReader",
    _resource(_READERS),
    _PARAMETERS,
    _ARGUMENTS,
    Field("ReaderConfig", Nested(_READER_CONFIG), "The format of the items and how many to read."),
    COMMENT,
)
_ITEM_BATCHER: Final = FieldTable(
    "ItemBatcher",
    Field("BatchInput", Template(), "Input that is added to each batch."),
    Field("MaxItemsPerBatch", OrJsonata(Number(least=1), "number"), "The most items of a batch."),
    Field("MaxItemsPerBatchPath", RequiredPath(), "A path to MaxItemsPerBatch.", languages=JSONPATH),
    Field(
        "MaxInputBytesPerBatch",
        OrJsonata(Number(least=1, most=_INPUT_BYTES_MAX), "number"),
        "The most bytes of a batch.",
    ),
    Field("MaxInputBytesPerBatchPath", RequiredPath(), "A path to MaxInputBytesPerBatch.", languages=JSONPATH),
    COMMENT,
    exclusive=[
        ("MaxItemsPerBatch", "MaxItemsPerBatchPath"),
        ("MaxInputBytesPerBatch", "MaxInputBytesPerBatchPath"),
    ],
)
_WRITER_CONFIG: Final = FieldTable(
    "WriterConfig",
    Field("OutputType", OneOf(("JSON", "JSONL")), "The format of the results.", required=True),
    Field("Transformation", OneOf(("NONE", "COMPACT", "FLATTEN")), "How the results are rebuilt."),
    COMMENT,
)
_RESULT_WRITER: Final = FieldTable(
    "ResultWriter",
    _resource(_WRITERS),
    _PARAMETERS,
    _ARGUMENTS,
    Field("WriterConfig", Nested(_WRITER_CONFIG), "The format of the results."),
    COMMENT,
)

ITEM_READER: Final = Field("ItemReader", Nested(_ITEM_READER), "Reads the items from S3.", "item_reader")
ITEM_BATCHER: Final = Field("ItemBatcher", Nested(_ITEM_BATCHER), "Gives each child several items.", "item_batcher")
RESULT_WRITER: Final = Field("ResultWriter", Nested(_RESULT_WRITER), "Writes the results to S3.", "result_writer")
