"""TestState with mocks: what may be mocked, what follows from a mocked error, and what a mocked Map evaluates."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given as holds_for
from hypothesis import strategies as st

from asl_engine.api.testing_state.item_data import read_item_data
from asl_engine.errors import ValidationException
from asl_engine.json_value import JsonObject, JsonValue
from tests.api.state_trials import answer, each, failing, mocked, parallel, task

ROWS: JsonObject = {"rows": ["a", "b", "c"]}
THRESHOLD = "States.ExceedToleratedFailureThreshold"


def retrier(*errors: str, **fields: JsonValue) -> JsonObject:
    return {"ErrorEquals": list(errors), **fields}


def catcher(*errors: str, **fields: JsonValue) -> JsonObject:
    return {"ErrorEquals": list(errors), "Next": "Mend", **fields}


# What may be mocked


@pytest.mark.parametrize(
    "state",
    [
        {"Type": "Pass", "End": True},
        {"Type": "Wait", "Seconds": 1, "End": True},
        {"Type": "Succeed"},
        {"Type": "Fail"},
        {"Type": "Choice", "Choices": [{"Variable": "$.a", "IsNull": True, "Next": "B"}]},
    ],
)
@pytest.mark.parametrize("mock", [mocked(1), failing("E")])
def test_only_work_can_be_mocked(state: JsonObject, mock: JsonObject) -> None:
    with pytest.raises(ValidationException) as refused:
        answer(state, mock=mock)

    assert str(refused.value) == f"State type '{state['Type']}' is not supported when a mock is specified"


@pytest.mark.parametrize(
    ("mock", "message"),
    [
        (mocked(1) | failing("E"), "A test mock should have only one of the following fields: [result, errorOutput]."),
        ({}, "A test mock should have only one of the following fields: [result, errorOutput]."),
        ({"result": "{"}, "Mocked result must be valid JSON"),
        ({"errorOutput": {"cause": "c"}}, "Mocked errorOutput must have an error."),
    ],
)
def test_a_mock_is_one_result_or_one_error(mock: JsonObject, message: str) -> None:
    with pytest.raises(ValidationException) as refused:
        answer(task(), mock=mock)

    assert str(refused.value) == message


def test_a_mock_reveals_no_secrets() -> None:
    with pytest.raises(ValidationException, match="RevealSecrets"):
        answer(task(), mock=mocked({}), revealSecrets=True)


@pytest.mark.parametrize(
    ("state", "result", "message"),
    [
        (each(), {}, "Mocked result must be an array."),
        (parallel("A", "B"), {}, "Mocked result must be an array."),
        (
            parallel("A", "B"),
            [1],
            "Mocked result must contain the same number of items as number of Parallel branches.",
        ),
        (
            each(ResultWriter={"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "b"}}),
            [],
            "Mocked result must be a JSON object.",
        ),
    ],
)
def test_a_mocked_result_has_the_form_of_the_states_own(state: JsonObject, result: JsonValue, message: str) -> None:
    with pytest.raises(ValidationException) as refused:
        answer(state, input=ROWS, mock=mocked(result))

    assert str(refused.value) == message


def test_a_map_that_writes_its_results_gives_an_object() -> None:
    writer: JsonObject = {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "b"}}

    assert answer(each(ResultWriter=writer), input=ROWS, mock=mocked({"MapRunArn": "x"}))["status"] == "SUCCEEDED"


# Results


def test_a_mocked_parallel_shows_only_what_it_makes_of_its_result() -> None:
    given = answer(parallel("A", "B", InputPath="$.rows", ResultPath="$.both"), input=ROWS, mock=mocked([1, 2]))

    assert given["output"] == {**ROWS, "both": [1, 2]}
    assert given["inspectionData"] == {
        "input": ROWS,
        "afterResultSelector": [1, 2],
        "afterResultPath": {**ROWS, "both": [1, 2]},
    }


def test_a_mocked_map_shows_its_items_and_bounds() -> None:
    state = each(
        MaxConcurrency=2,
        ToleratedFailureCount=1,
        ToleratedFailurePercentage=50,
        ItemSelector={"at.$": "$$.Map.Item.Index", "row.$": "$$.Map.Item.Value"},
    )
    given = answer(state, input=ROWS, mock=mocked([1, 2, 3]))

    assert given["inspectionData"] == {
        "input": ROWS,
        "afterInputPath": ROWS,
        "afterItemsPath": ROWS["rows"],
        "afterItemSelector": [{"at": 0, "row": "a"}, {"at": 1, "row": "b"}, {"at": 2, "row": "c"}],
        "maxConcurrency": 2,
        "toleratedFailureCount": 1,
        "toleratedFailurePercentage": 50.0,
        "afterResultSelector": [1, 2, 3],
        "afterResultPath": [1, 2, 3],
    }


def test_in_jsonata_a_map_shows_what_each_iteration_gets() -> None:
    selector: JsonObject = {"row": "{% $states.context.Map.Item.Value & '!' %}"}
    given = answer(each(QueryLanguage="JSONata", ItemSelector=selector), input=ROWS, mock=mocked([]))

    assert given["inspectionData"] == {
        "input": ROWS,
        "maxConcurrency": 0,
        "afterItemSelector": [{"row": "a!"}, {"row": "b!"}, {"row": "c!"}],
    }


@pytest.mark.parametrize("fields", [{"ItemsPath": "$.rows[0]"}, {"MaxConcurrencyPath": "$.rows"}])
def test_a_map_that_cannot_start_fails_whatever_its_mock(fields: JsonObject) -> None:
    assert answer(each(**fields), input=ROWS, mock=mocked([]))["error"] == "States.Runtime"


# Errors


def test_a_mocked_error_fails_the_state() -> None:
    given = answer(task(Parameters={"FunctionName": "f"}), mock=failing("Boom", "loud"))

    assert (given["status"], given["error"], given["cause"]) == ("FAILED", "Boom", "loud")
    assert given["inspectionData"] == {"input": {}, "afterInputPath": {}, "afterParameters": {"FunctionName": "f"}}


def test_an_error_without_a_cause_is_answered_without_one() -> None:
    assert "cause" not in answer(task(), mock={"errorOutput": {"error": "Boom"}})


@pytest.mark.parametrize(("retries", "seconds"), [(0, 3), (1, 6), (2, 10)])
def test_an_error_that_would_be_retried_tells_by_which_rule_and_when(retries: int, seconds: int) -> None:
    rules: list[JsonValue] = [retrier("Other"), retrier("Boom", IntervalSeconds=3, MaxDelaySeconds=10)]
    given = answer(
        task(Retry=rules), mock=failing("Boom"), stateConfiguration={"retrierRetryCount": retries}, input=ROWS
    )

    assert (given["status"], given["error"]) == ("RETRIABLE", "Boom")
    assert given["inspectionData"]["errorDetails"] == {"retryIndex": 1, "retryBackoffIntervalSeconds": seconds}
    assert not given.keys() & {"output", "nextState"}


def test_an_error_whose_retries_are_used_up_fails_the_state_and_names_the_rule() -> None:
    state = task(Retry=[retrier("Boom", MaxAttempts=2)])
    given = answer(state, mock=failing("Boom"), stateConfiguration={"retrierRetryCount": 2})

    assert given["status"] == "FAILED"
    assert given["inspectionData"]["errorDetails"] == {"retryIndex": 0}


def test_an_error_whose_retries_are_used_up_is_caught() -> None:
    state = task(Retry=[retrier("Boom", MaxAttempts=0)], Catch=[catcher("Other"), catcher("Boom", ResultPath="$.why")])
    given = answer(state, mock=failing("Boom", "loud"), input=ROWS)

    assert given["status"] == "CAUGHT_ERROR"
    assert (given["error"], given["cause"], given["nextState"]) == ("Boom", "loud", "Mend")
    assert given["output"] == {**ROWS, "why": {"Error": "Boom", "Cause": "loud"}}
    assert given["inspectionData"]["errorDetails"] == {"retryIndex": 0, "catchIndex": 1}


def test_retry_comes_before_catch() -> None:
    state = task(Retry=[retrier("States.ALL")], Catch=[catcher("States.ALL")])

    assert answer(state, mock=failing("Boom"))["status"] == "RETRIABLE"


def test_a_caught_error_assigns_variables() -> None:
    rule = catcher("Boom", Assign={"why": "{% $states.errorOutput.Cause %}"}, Output="{% $states.errorOutput.Error %}")
    given = answer(task(QueryLanguage="JSONata", Catch=[rule]), mock=failing("Boom", "loud"))

    assert given["output"] == "Boom"
    assert given["inspectionData"]["variables"] == {"why": "loud"}


def test_an_expression_that_fails_is_retried_and_caught_like_any_error() -> None:
    state = task(QueryLanguage="JSONata", Arguments="{% $states.input.nothing %}")

    caught = answer({**state, "Catch": [catcher("States.QueryEvaluationError")]}, mock=mocked({}))
    retried = answer({**state, "Retry": [retrier("States.QueryEvaluationError")]}, mock=mocked({}))

    assert (caught["status"], retried["status"]) == ("CAUGHT_ERROR", "RETRIABLE")
    assert caught["error"] == retried["error"] == "States.QueryEvaluationError"


def test_a_catch_rule_that_fails_fails_the_state_with_its_own_error() -> None:
    rule = catcher("Boom", Output="{% $states.input.nothing %}")
    given = answer(task(QueryLanguage="JSONata", Catch=[rule]), mock=failing("Boom"))

    assert (given["status"], given["error"]) == ("FAILED", "States.QueryEvaluationError")
    assert "errorDetails" not in given["inspectionData"]


def test_a_fatal_error_is_neither_retried_nor_caught() -> None:
    state = task(Retry=[retrier("States.ALL")], Catch=[catcher("States.ALL")])

    assert answer(state, mock=failing("States.Runtime"))["status"] == "FAILED"


# Failed iterations


@pytest.mark.parametrize(
    ("fields", "failures", "status"),
    [
        ({}, 3, "SUCCEEDED"),
        ({"ToleratedFailureCount": 1}, 1, "SUCCEEDED"),
        ({"ToleratedFailureCount": 1}, 2, "FAILED"),
        ({"ToleratedFailurePercentage": 34}, 1, "SUCCEEDED"),
        ({"ToleratedFailurePercentage": 33}, 1, "FAILED"),
        ({"ToleratedFailureCount": 0, "ToleratedFailurePercentage": 100}, 1, "FAILED"),
    ],
)
def test_a_map_fails_when_more_iterations_failed_than_it_tolerates(
    fields: JsonObject, failures: int, status: str
) -> None:
    """A Map without a threshold goes on with the mocked result: AWS was recorded to."""
    given = answer(
        each(**fields),
        input=ROWS,
        mock=mocked([0, 0, 0]),
        stateConfiguration={"mapIterationFailureCount": failures},
    )

    assert given["status"] == status
    assert given.get("error") == (None if status == "SUCCEEDED" else THRESHOLD)


def test_a_failed_map_can_be_caught() -> None:
    state = each(ToleratedFailureCount=0, Catch=[catcher(THRESHOLD)])
    configuration = {"mapIterationFailureCount": 1}

    assert answer(state, input=ROWS, mock=mocked([0, 0, 0]), stateConfiguration=configuration)["nextState"] == "Mend"


@pytest.mark.parametrize(
    ("state", "configuration", "message"),
    [
        (
            each(),
            {"mapIterationFailureCount": 2},
            "Map iteration failure count must be less than or equal to the number",
        ),
        (each(), {"errorCausedByState": "Rwo"}, "State 'Rwo', said to have caused the error, is not inside"),
        (task(), {"errorCausedByState": "StateName"}, "is not inside"),
        (each(), {"mapItemReaderData": "[]"}, "only be specified for a Map state with an ItemReader"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused(state: JsonObject, configuration: JsonObject, message: str) -> None:
    mock = mocked([0], fieldValidationMode="NONE")
    with pytest.raises(ValidationException, match=message):
        answer(state, input=ROWS, mock=mock, stateConfiguration=configuration)


def test_an_error_may_come_from_a_state_at_any_depth() -> None:
    inner = each(ItemProcessor={"StartAt": "Deep", "States": {"Deep": {"Type": "Succeed"}}})
    outer = parallel("A") | {"Branches": [{"StartAt": "In", "States": {"In": inner}}]}

    given = answer(outer, mock=failing("Boom"), stateConfiguration={"errorCausedByState": "Deep"})

    assert given["error"] == "Boom"


# Items that a reader is said to have read


def read(text: str, config: JsonObject) -> dict[str, Any]:
    """What is shown of a Map whose reader is said to have read a text."""
    reader: JsonObject = {
        "Resource": "arn:aws:states:::s3:getObject",
        "Parameters": {"Bucket": "b", "Key": "k"},
        "ReaderConfig": config,
    }
    processor: JsonObject = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Row",
        "States": {"Row": {"Type": "Succeed"}},
    }
    state = each(ItemReader=reader, ItemProcessor=processor, ItemSelector={"v.$": "$$.Map.Item.Value"})
    del state["ItemsPath"]
    shown = answer(state, mock=mocked([]), stateConfiguration={"mapItemReaderData": text})["inspectionData"]
    assert isinstance(shown, dict)
    return shown


@pytest.mark.parametrize(
    ("text", "config", "items"),
    [
        ("[1, 2]", {"InputType": "JSON"}, [1, 2]),
        ('{"a": {"b/c": [3]}}', {"InputType": "JSON", "ItemsPointer": "/a/b~1c"}, [3]),
        ('[0, {"x": [4]}]', {"InputType": "JSON", "ItemsPointer": "/1/x"}, [4]),
        ('{"n": 1}\n\n{"n": 2}\n', {"InputType": "JSONL"}, [{"n": 1}, {"n": 2}]),
        (
            "n,m\n1,2\n3\n",
            {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"},
            [{"n": "1", "m": "2"}, {"n": "3", "m": ""}],
        ),
        ('n\n"1\n2"\n', {"InputType": "CSV"}, [{"n": "1\n2"}]),
        (
            "1|2\n",
            {"InputType": "CSV", "CSVHeaderLocation": "GIVEN", "CSVHeaders": ["n", "m"], "CSVDelimiter": "PIPE"},
            [{"n": "1", "m": "2"}],
        ),
    ],
)
def test_reader_data_is_read_in_the_readers_format(text: str, config: JsonObject, items: list[JsonValue]) -> None:
    shown = read(text, config)

    assert shown["afterItemSelector"] == [{"v": item} for item in items]
    assert shown.get("afterItemsPointer") == (items if "ItemsPointer" in config else None)
    assert "afterItemsPath" not in shown


@pytest.mark.parametrize(
    ("text", "config"),
    [
        ("{", {"InputType": "JSON"}),
        ("{}", {"InputType": "JSON"}),
        ("[1]", {"InputType": "JSON", "ItemsPointer": "/7"}),
        ('{"a": 1}', {"InputType": "JSON", "ItemsPointer": "/a/b"}),
        ("1\n{\n", {"InputType": "JSONL"}),
        ("n\n" + "x" * 200_000, {"InputType": "CSV"}),
    ],
)
def test_reader_data_in_another_format_is_refused(text: str, config: JsonObject) -> None:
    with pytest.raises(ValidationException, match="Map item reader data must"):
        read(text, config)


@holds_for(st.text('[]{}"a,\n1:/ \x00'), st.sampled_from(["CSV", "JSON", "JSONL"]), st.text("/~01a"))
def test_any_reader_data_is_read_or_refused(text: str, input_type: str, pointer: str) -> None:
    with suppress(ValidationException):
        data = read_item_data(text, {"ReaderConfig": {"InputType": input_type, "ItemsPointer": pointer}})
        assert isinstance(data.items, list)


@pytest.mark.parametrize(
    ("batcher", "sizes"),
    [
        ({"MaxItemsPerBatch": 2}, [2, 2, 1]),
        ({"MaxItemsPerBatchPath": "$.most"}, [3, 2]),
        ({"MaxInputBytesPerBatch": len('{"Items":["aaaa","bbbb"]}')}, [2, 2, 1]),
        ({"MaxInputBytesPerBatch": len('{"Items":["aaaa","bbbb"]}') - 1}, [1, 1, 1, 1, 1]),
        ({"MaxInputBytesPerBatch": 1, "MaxItemsPerBatch": 5}, [1, 1, 1, 1, 1]),
        ({"BatchInput": {"most.$": "$.most"}, "MaxItemsPerBatch": 9, "Comment": "all"}, [5]),
    ],
)
def test_items_are_shown_in_batches(batcher: JsonObject, sizes: list[int]) -> None:
    rows: list[JsonValue] = ["aaaa", "bbbb", "cccc", "dddd", "eeee"]
    given = answer(batched(ItemBatcher=batcher), input={"rows": rows, "most": 3}, mock=mocked([]))
    shown = given["inspectionData"]["afterItemBatcher"]

    assert [len(batch.pop("Items")) for batch in shown] == sizes
    assert shown == [{"BatchInput": {"most": 3}} if "BatchInput" in batcher else {}] * len(sizes)


def test_batches_hold_what_the_selector_made_of_the_items() -> None:
    state = batched(
        QueryLanguage="JSONata",
        ItemSelector={"row": "{% $states.context.Map.Item.Value %}"},
        ItemBatcher={"MaxItemsPerBatch": "{% $count($states.input.rows) - 1 %}"},
    )
    shown = answer(state, input={"rows": ["a", "b"]}, mock=mocked([]))["inspectionData"]
    assert shown["afterItemBatcher"] == [{"Items": [{"row": "a"}]}, {"Items": [{"row": "b"}]}]


def test_a_batch_of_no_items_is_refused() -> None:
    given = answer(
        batched(ItemBatcher={"MaxItemsPerBatchPath": "$.most"}), input={"rows": [], "most": 0}, mock=mocked([])
    )
    assert (given["status"], given["error"]) == ("FAILED", "States.Runtime")
    assert "The MaxItemsPerBatch field must be a positive integer but was: 0" in given["cause"]


def batched(**fields: JsonValue) -> JsonObject:
    """A distributed Map over the input's rows."""
    processor: JsonObject = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Row",
        "States": {"Row": {"Type": "Succeed"}},
    }
    return each(ItemProcessor=processor, **fields)


def test_a_reader_whose_data_is_not_given_leaves_the_items_unknown() -> None:
    reader: JsonObject = {"Resource": "arn:aws:states:::s3:getObject", "Parameters": {"Bucket": "b", "Key": "k"}}
    processor: JsonObject = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Row",
        "States": {"Row": {"Type": "Succeed"}},
    }
    state = each(ItemReader=reader, ItemProcessor=processor, ItemSelector={"v": 1}, ToleratedFailurePercentage=50)
    del state["ItemsPath"]
    given = answer(state, mock=mocked([0, 0]), stateConfiguration={"mapIterationFailureCount": 1})

    assert given["status"] == "SUCCEEDED"
    assert not given["inspectionData"].keys() & {"afterItemsPath", "afterItemSelector", "afterItemsPointer"}
