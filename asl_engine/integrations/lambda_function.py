"""AWS Lambda, real or emulated: function ARNs and `lambda:invoke`.

The endpoint, region and credentials come from boto3's standard variables. The SDK sends each request exactly once: a
retry of its own would run a function again without a trace in the history, and whether to try again is for the state's
Retry to say. An answer may take as long as a function may run, so reading times out only after Lambda itself has.
https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any, Final
from urllib.parse import urlsplit

from asl_engine.errors import AslError, InvalidJson
from asl_engine.integrations.lambda_errors import failure_of_function, failure_of_request, failure_of_sdk
from asl_engine.json_value import JsonValue, dump_json, parse_json
from asl_engine.language.definition import IntegrationPattern, ResourceType
from asl_engine.runtime.lambda_invocation import LambdaRequest, invoke_output, read_request
from asl_engine.runtime.tasks import Failed, Submitted, Succeeded, TaskCall, TaskResult

# A function may run 900 seconds: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
_READ_TIMEOUT_SECONDS: Final = 930
_CONNECT_TIMEOUT_SECONDS: Final = 10
_CONNECTIONS_MAX: Final = 1_000
_LOCAL_REGION: Final = "us-east-1"
_LOCAL_CREDENTIALS: Final = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}

# boto3 lower-cases header names; these are the names as Step Functions shows them.
_HEADERS: Final = {
    name.lower(): name
    for name in (
        "Connection",
        "Content-Length",
        "Content-Type",
        "Date",
        "X-Amz-Executed-Version",
        "X-Amz-Log-Result",
        "X-Amzn-Trace-Id",
        "x-amzn-Remapped-Content-Length",
        "x-amzn-RequestId",
    )
}


class LambdaFunctions:
    """Invokes Lambda functions. Any number of invocations run at once, without threads.

    Belongs to the event loop in which it performs its first call, until it is closed.
    """

    def __init__(self, *, endpoint_url: str | None = None, region: str | None = None) -> None:
        """Without `endpoint_url` it is the real AWS. Raises AslError: no AWS SDK is installed, or it is no URL."""
        for module in ("aiobotocore", "botocore"):
            if importlib.util.find_spec(module) is None:
                raise AslError('invoking Lambda functions needs the AWS SDK: pip install "asl-engine[aws]"')
        if endpoint_url is not None and not _host(endpoint_url):
            raise AslError(f'the Lambda endpoint "{endpoint_url}" is no URL: write http://host:port')
        self._endpoint_url, self._region = endpoint_url, region
        self._is_local = endpoint_url is not None and not _is_aws(endpoint_url)
        self._clients: dict[str | None, Any] = {}
        self._lock = asyncio.Lock()
        self._resources = AsyncExitStack()

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> LambdaFunctions:
        """With the endpoint and region that boto3's variables name. Raises AslError."""
        region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
        return cls(endpoint_url=configured_endpoint(environ), region=region)

    def handles(self, call: TaskCall) -> bool:
        """Whether the resource is a Lambda function or `lambda:invoke`."""
        return call.is_lambda_invoke or call.resource.type is ResourceType.LAMBDA_FUNCTION

    async def perform(self, call: TaskCall) -> TaskResult:
        """Invoke the function once. Cancelling closes the connection; the function itself runs on."""
        from aiohttp import ClientError as ConnectionFailed  # aiobotocore lets these through while a body is read
        from botocore.exceptions import BotoCoreError, ClientError

        request = read_request(call)
        if isinstance(request, Failed):
            return request
        if call.attempt.credentials is not None and not self._is_local:
            return Failed(
                "States.Runtime", "Credentials is not supported: the engine invokes with its own identity only"
            )
        try:
            client = await self._client(request.function_name)
        except (BotoCoreError, ClientError) as error:
            return failure_of_sdk(error, self._endpoint_url)
        try:
            response = await client.invoke(**_parameters(request))
            async with response["Payload"] as body:
                payload = await body.read()
        except ClientError as error:
            return failure_of_request(error.response, client.meta.service_model.operation_model("Invoke"))
        except (BotoCoreError, ConnectionFailed) as error:
            return failure_of_sdk(error, self._endpoint_url)
        return _result(call, response, payload)

    async def close(self) -> None:
        """Close the connections. The next call opens new ones."""
        self._clients.clear()
        await self._resources.aclose()

    async def _client(self, function_name: str) -> Any:
        """A client of the region that a full ARN names, else of the configured one."""
        arn = function_name.split(":")
        region = arn[3] if function_name.startswith("arn:") and len(arn) > 3 else self._region
        async with self._lock:
            if region not in self._clients:
                self._clients[region] = await self._open(region)
            return self._clients[region]

    async def _open(self, region: str | None) -> Any:
        from aiobotocore.config import AioConfig  # type: ignore[import-untyped]
        from aiobotocore.session import get_session  # type: ignore[import-untyped]
        from botocore.handlers import add_recursion_detection_header

        session = get_session()
        options: dict[str, Any] = {"endpoint_url": self._endpoint_url, "region_name": region}
        if self._is_local:
            # An emulator accepts any identity; looking for one on the network would only cost time.
            session.get_component("credential_provider").remove("iam-role")
            if await session.get_credentials() is None:
                options |= _LOCAL_CREDENTIALS
            options["region_name"] = region or session.get_config_variable("region") or _LOCAL_REGION
        config = AioConfig(
            connect_timeout=_CONNECT_TIMEOUT_SECONDS,
            read_timeout=_READ_TIMEOUT_SECONDS,
            max_pool_connections=_CONNECTIONS_MAX,
            retries={"total_max_attempts": 1},
        )
        client = await self._resources.enter_async_context(session.create_client("lambda", config=config, **options))
        # On Lambda this header chains invocations, and AWS stops a chain of about 16: a workflow may well be longer.
        client.meta.events.unregister("before-call", add_recursion_detection_header)
        return client


def configured_endpoint(environ: Mapping[str, str] = os.environ) -> str | None:
    """The endpoint that boto3's variables name for Lambda; None for the real AWS."""
    if environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true":
        return None
    return environ.get("AWS_ENDPOINT_URL_LAMBDA") or environ.get("AWS_ENDPOINT_URL") or None


def _host(endpoint_url: str) -> str:
    try:
        return urlsplit(endpoint_url).hostname or ""
    except ValueError:
        return ""


def _is_aws(endpoint_url: str) -> bool:
    return _host(endpoint_url).endswith((".amazonaws.com", ".amazonaws.com.cn"))


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
        headers={_HEADERS.get(name, name): value for name, value in metadata["HTTPHeaders"].items()},
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
