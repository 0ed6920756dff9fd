from typing import Any

import pytest

from asl_engine.expressions.scope import Scope
from asl_engine.language.definition import MapState, ProcessorMode
from tests.language.definitions import END, errors_of, state

STATES: dict[str, Any] = {"StartAt": "In", "States": {"In": END}}
DISTRIBUTED = {**STATES, "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}}


def a_map(**fields: Any) -> dict[str, Any]:
    return {"Type": "Map", "ItemProcessor": STATES, **fields}


def compiled(**fields: Any) -> MapState:
    found = state(a_map(**fields))
    assert isinstance(found, MapState)
    return found


def test_a_map_is_inline_unless_it_says_otherwise() -> None:
    found = compiled(ItemsPath="$.rows", MaxConcurrency=2)

    assert found.mode is ProcessorMode.INLINE
    assert (found.item_processor.key, found.item_processor.start_at) == ("A/0", "In")
    assert found.items_path is not None
    assert found.items_path.evaluate(Scope({"rows": [1]})) == [1]
    assert found.max_concurrency is not None
    assert found.max_concurrency.evaluate(Scope(None)) == 2


def test_the_older_names_still_work() -> None:
    found = state({"Type": "Map", "Iterator": STATES, "Parameters": {"n.$": "$$.Map.Item.Index"}})

    assert isinstance(found, MapState)
    assert found.item_selector is not None
    assert found.item_processor.start_at == "In"


def test_a_path_keeps_its_text_for_messages() -> None:
    found = compiled(MaxConcurrencyPath="$.n", ToleratedFailureCountPath="$count")

    assert found.max_concurrency_path_text == "$.n"
    assert found.tolerated_failure_count_path_text == "$count"


def test_items_are_an_expression_or_values_with_expressions() -> None:
    whole = compiled(QueryLanguage="JSONata", Items="{% [1..3] %}")
    assert whole.items is not None
    assert whole.items.evaluate(Scope(None)) == [1, 2, 3]

    parts = compiled(QueryLanguage="JSONata", Items=["{% 1 + 1 %}", 5])
    assert parts.items is not None
    assert parts.items.evaluate(Scope(None)) == [2, 5]


def test_the_fields_of_a_distributed_map_are_kept_as_written() -> None:
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "Parameters": {"Bucket.$": "$.bucket", "Key": "rows.csv"},
        "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "GIVEN", "CSVHeaders": ["a"], "MaxItems": 9},
    }
    batcher = {"MaxItemsPerBatch": 5, "BatchInput": {"run.$": "$$.Execution.Name"}}
    writer = {
        "Resource": "arn:aws:states:::s3:putObject",
        "Parameters": {"Bucket": "out"},
        "WriterConfig": {"OutputType": "JSONL"},
    }

    found = compiled(
        ItemProcessor=DISTRIBUTED, ItemReader=reader, ItemBatcher=batcher, ResultWriter=writer, Label="rows"
    )

    assert found.mode is ProcessorMode.DISTRIBUTED
    assert (found.item_reader, found.item_batcher, found.result_writer, found.label) == (
        reader,
        batcher,
        writer,
        "rows",
    )


def test_a_label_may_hold_a_placeholder_and_what_an_arn_may_hold() -> None:
    assert errors_of(a_map(Label="rows_of-2024.é'(1)+/@!=" + "x" * 17)) == []
    assert errors_of(a_map(Label="rows-${AVeryLongNameOfAPlaceholderThatIsFilledInLater}")) == []


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        (
            {"Iterator": {"StartAt": "It", "States": {"It": END}}},
            "/Iterator: at most one of these fields can be given: [ItemProcessor, Iterator]",
        ),
        ({"ItemProcessor": []}, "/ItemProcessor: expected an object but found an array"),
        ({"ItemProcessor": {"StartAt": "In"}}, "/ItemProcessor: These fields are required: [States]"),
        (
            {"ItemProcessor": {**STATES, "ProcessorConfig": {"Mode": "DISTRIBUTED"}}},
            "/ItemProcessor/ProcessorConfig: These fields are required: [ExecutionType]",
        ),
        (
            {"ItemProcessor": {**STATES, "ProcessorConfig": {"Mode": "BATCH"}}},
            "/ItemProcessor/ProcessorConfig/Mode: The field 'Mode' should have one of these values",
        ),
        ({"Parameters": {}, "ItemSelector": {}}, "/Parameters: at most one of these fields can be given"),
        ({"MaxConcurrency": -1}, "/MaxConcurrency: -1 is out of range: it must be at least 0"),
        ({"ToleratedFailurePercentage": 100.5}, "/ToleratedFailurePercentage: 100.5 is out of range"),
        ({"ToleratedFailureCount": 1, "ToleratedFailureCountPath": "$.n"}, "/ToleratedFailureCountPath: at most one"),
        ({"Items": [1]}, "/Items: the field 'Items' is not supported where QueryLanguage is 'JSONPath'"),
        ({"Label": 7}, "/Label: expected a string but found 7"),
        ({"Label": ""}, "/Label: Label cannot be empty"),
        ({"Label": "x" * 41}, "/Label: Label cannot exceed 40 characters"),
        ({"Label": "my rows"}, "/Label: Label contains invalid character: ' '"),
        ({"Label": "rows/a]"}, "/Label: Label contains invalid character: ']'"),
        ({"Label": "a\\b"}, "/Label: Label contains invalid character: '\\'"),
        ({"Label": "a\x7f"}, "/Label: Label contains invalid character: '"),
        ({"ItemReader": {"Resource": "s3:getObject"}}, "/ItemReader/Resource: The resource provided s3:getObject"),
        ({"ItemReader": {"Resource": 1}}, "/ItemReader/Resource: expected an ARN but found 1"),
        ({"ItemReader": {"ReaderConfig": {"InputType": "XML"}}}, "/ItemReader/ReaderConfig/InputType: The field"),
        (
            {"ItemReader": {"ReaderConfig": {"CSVHeaders": ["a", 1]}}},
            "/ItemReader/ReaderConfig/CSVHeaders: expected an",
        ),
        (
            {"ItemReader": {"ReaderConfig": {"MaxItems": 1, "MaxItemsPath": "$.n"}}},
            "/ItemReader/ReaderConfig/MaxItemsPath: at most one of these fields can be given",
        ),
        ({"ItemReader": {"Parameters": {"Key.$": "key"}}}, "/ItemReader/Parameters: The value for the field 'Key.$'"),
        ({"ItemBatcher": {"MaxItemsPerBatch": 0}}, "/ItemBatcher/MaxItemsPerBatch: 0 is out of range"),
        ({"ItemBatcher": {"MaxInputBytesPerBatch": 262_145}}, "/ItemBatcher/MaxInputBytesPerBatch: 262145 is out of"),
        ({"ResultWriter": {"WriterConfig": {}}}, "/ResultWriter/WriterConfig: These fields are required: [OutputType]"),
    ],
)
def test_a_wrong_field_is_refused(fields: dict[str, Any], error: str) -> None:
    (found,) = errors_of(a_map(**fields))

    assert found.startswith(error)


def test_a_map_has_a_processor() -> None:
    assert errors_of({"Type": "Map"}) == [": exactly one of these fields is required: [ItemProcessor, Iterator]"]


@pytest.mark.parametrize("items", ["rows", 1, None])
def test_items_are_nothing_else(items: Any) -> None:
    (error,) = errors_of(a_map(QueryLanguage="JSONata", Items=items))

    assert error.startswith("/Items: expected an array, an object or a JSONata expression")
