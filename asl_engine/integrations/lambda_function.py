"""AWS Lambda, real or emulated: function ARNs and `lambda:invoke`.

A function is invoked once for each attempt. An answer may take as long as a function may run, so reading times out only
after Lambda itself has.
https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from asl_engine.errors import InvalidJson
from asl_engine.integrations.aws_errors import call_errors
from asl_engine.integrations.aws_session import AwsClients
from asl_engine.integrations.lambda_errors import failure_of_function, failure_of_request, failure_of_sdk
from asl_engine.integrations.sdk_metadata import shown_headers
from asl_engine.json_value import JsonValue, dump_json, parse_json
from asl_engine.language.definition import IntegrationPattern, ResourceType
from asl_engine.runtime.lambda_invocation import LambdaRequest, invoke_output, read_request
from asl_engine.runtime.tasks import Failed, Submitted, Succeeded, TaskCall, TaskResult

_SERVICE: Final = "lambda"


class LambdaFunctions:
    """Invokes Lambda functions. Any number of invocations run at once, without threads.

    Belongs to the event loop in which it performs its first call, until it is closed.
    """

    def __init__(self, clients: AwsClients) -> None:
        self._clients = clients

    def handles(self, call: TaskCall) -> bool:
        """Whether the resource is a Lambda function or `lambda:invoke`, and Lambda can be reached."""
        is_function = call.is_lambda_invoke or call.resource.type is ResourceType.LAMBDA_FUNCTION
        return is_function and self._clients.reaches(_SERVICE)

    async def perform(self, call: TaskCall) -> TaskResult:
        """Invoke the function once. Cancelling closes the connection; the function itself runs on."""
        from botocore.exceptions import ClientError

        request = read_request(call)
        if isinstance(request, Failed):
            return request
        if call.attempt.credentials is not None and not self._clients.is_local(_SERVICE):
            return Failed(
                "States.Runtime", "Credentials is not supported: the engine invokes with its own identity only"
            )
        endpoint_url = self._clients.endpoint_url(_SERVICE)
        try:
            client = await self._clients.client(_SERVICE, _region(request.function_name))
        except call_errors() as error:
            return failure_of_sdk(error, endpoint_url)
        try:
            response = await client.invoke(**_parameters(request))
            async with response["Payload"] as body:
                payload = await body.read()
        except ClientError as error:
            return failure_of_request(error.response, client.meta.service_model.operation_model("Invoke"))
        except call_errors() as error:
            return failure_of_sdk(error, endpoint_url)
        return _result(call, response, payload)

    async def close(self) -> None:
        """Close the connections. The next call opens new ones."""
        await self._clients.close()


def _region(function_name: str) -> str | None:
    """The region that a full ARN names."""
    arn = function_name.split(":")
    return arn[3] if function_name.startswith("arn:") and len(arn) > 3 else None


def _parameters(request: LambdaRequest) -> dict[str, Any]:
    parameters = {
        "FunctionName": request.function_name,
        "Payload": dump_json(request.event).encode("utf-8", "surrogatepass"),
        "InvocationType": request.invocation_type,
        "Qualifier": request.qualifier,
        "ClientContext": request.client_context,
        "LogType": request.log_type,
    }
    return {name: value for name, value in parameters.items() if value is not None}


def _result(call: TaskCall, response: Mapping[str, Any], payload: bytes) -> TaskResult:
    text = payload.decode("utf-8", "replace")
    if response.get("FunctionError"):
        return failure_of_function(text)
    value = _value(text)
    if not call.is_lambda_invoke:
        return Succeeded(value)
    metadata = response["ResponseMetadata"]
    output = invoke_output(
        value,
        status_code=response["StatusCode"],
        headers=shown_headers(response),
        request_id=metadata.get("RequestId", ""),
        executed_version=response.get("ExecutedVersion"),
        log_result=response.get("LogResult"),
    )
    return Submitted(output) if call.resource.pattern is IntegrationPattern.WAIT_FOR_TASK_TOKEN else Succeeded(output)


def _value(text: str) -> JsonValue:
    """What the function returned; the text itself where a function (or an asynchronous call) answers no JSON."""
    try:
        return parse_json(text)
    except InvalidJson:
        return text
