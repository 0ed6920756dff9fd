"""The two functions as AWS calls them: with Step Functions' payload, API Gateway's events, and Slack's clicks."""

from __future__ import annotations

import base64
import http.server
import json
import re
import runpy
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlencode

import boto3
import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.server import ThreadedMotoServer
from moto.ses.models import ses_backends

from asl_engine.errors import ApprovalError, InvalidApprovalRequest
from asl_engine.interpreter.task_token import TokenClaims, issue
from tests.approvals.slack import click, posted
from tests.store.dynamodb_tables import moto_url, new_table

ROOT = Path(__file__).parents[2]
REGION = "us-east-1"
SENDER = "approvals@example.com"
URL = "https://abc123.execute-api.eu-west-1.amazonaws.com/approvals"
SLACK_SECRET = {"signing_secret": "slack signing secret"}
# What Step Functions sends for a Payload with "taskToken.$": "$$.Task.Token": that object, and nothing around it.
PAYLOAD: dict[str, Any] = {
    "taskToken": "AQCEAAAAKgAAAAMAAAAAAAAAAfVgl2bpTOhcsXhKr3bqfqoPy9eyqsdvu2ibCvC2wsvAKFwWAkNUOEUwz2SF",
    "title": "Deploy model 7?",
    "details": {"accuracy": 0.94},
    "approvers": [{"name": "Ada", "email": "ada@example.com", "slack": "U1"}],
}
EXECUTION = "arn:aws:states:us-east-1:123456789012:execution:deploy:7"
Handler = Callable[[Any, object], Any]


class StepFunctionsStub(http.server.BaseHTTPRequestHandler):
    """Takes the first answer to a token, and says TaskTimedOut to any other, as AWS does.

    Who may not see an execution is not told of it.
    """

    answers: ClassVar[list[tuple[str, dict[str, str]]]]
    executions: ClassVar[dict[str, str]]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        answer = self.described(body) if operation == "DescribeExecution" else self.answered(operation, body)
        data = json.dumps(answer).encode()
        self.send_response(400 if "__type" in answer else 200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def described(self, body: dict[str, str]) -> dict[str, str]:
        status = self.executions.get(body["executionArn"])
        return {"status": status} if status else {"__type": "AccessDeniedException", "message": "not authorized"}

    def answered(self, operation: str, body: dict[str, str]) -> dict[str, str]:
        if any(body["taskToken"] == taken["taskToken"] for _, taken in self.answers):
            return {"__type": "TaskTimedOut", "message": "Provided task does not exist anymore"}
        self.answers.append((operation, body))
        return {}

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Keep the tests' output to the tests."""


@pytest.fixture
def step_functions() -> Iterator[tuple[str, type[StepFunctionsStub]]]:
    """Where Step Functions is, and what it knows."""

    class Stub(StepFunctionsStub):
        answers: ClassVar[list[tuple[str, dict[str, str]]]] = []
        executions: ClassVar[dict[str, str]] = {}

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stub)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", Stub
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


class Deployed:
    """Both functions with the environment of a deployment.

    `taken` has what Step Functions was told, `executions` the status of those that it tells of.
    """

    def __init__(self, step_functions: type[StepFunctionsStub]) -> None:
        self.taken, self.executions = step_functions.answers, step_functions.executions
        self._loaded: list[Handler] = []
        self.notifier: Handler = self.load("notifier")
        self.approvals: Handler = self.load("approvals")

    def close(self) -> None:
        for handle in self._loaded:
            end(handle)

    def load(self, function: str) -> Handler:
        """A cold start."""
        handle: Handler = runpy.run_path(str(ROOT / "lambdas" / function / "handler.py"))["handle"]
        self._loaded.append(handle)
        return handle

    def mail(self) -> str:
        """The newest mail's text."""
        data = ses_backends[DEFAULT_ACCOUNT_ID][REGION].sent_messages[-1].raw_data
        return data if isinstance(data, str) else data.decode()

    def link(self) -> str:
        """The path of the newest mail's first link: to approve."""
        unfolded = self.mail().replace("=\r\n", "").replace("=\n", "")
        found = re.search(r"https://abc123\S+?(/approvals/[\w.-]+)", unfolded)
        assert found, unfolded
        return found[1]

    def visit(self, path: str, method: str = "GET", body: str = "", **headers: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.approvals(http_event(method, path, body, headers), None)
        return answer

    def nonce(self, path: str) -> str:
        found = re.search(r'name="nonce" value="([^"]+)"', self.visit(path)["body"])
        assert found
        return found[1]


@pytest.fixture(scope="module")
def secrets(moto: str) -> dict[str, str]:
    """An account with its secrets and a verified sender: the ARNs of the secrets."""
    options = {"endpoint_url": moto, "region_name": REGION, "aws_access_key_id": "x", "aws_secret_access_key": "x"}
    manager, ses = boto3.client("secretsmanager", **options), boto3.client("sesv2", **options)
    signing = manager.create_secret(Name="signing", SecretString=json.dumps({"k1": "ab" * 32}))
    slack = manager.create_secret(Name="slack", SecretString=json.dumps(SLACK_SECRET))
    ses.create_email_identity(EmailIdentity=SENDER)
    manager.close()
    ses.close()
    return {"ASL_SIGNING_SECRET_ARN": signing["ARN"], "ASL_SLACK_SECRET_ARN": slack["ARN"]}


@pytest.fixture(params=["sqlite", "dynamodb"])
def deployed(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    moto: str,
    secrets: dict[str, str],
    step_functions: tuple[str, type[StepFunctionsStub]],
) -> Iterator[Deployed]:
    """Both functions, over each store that a function can reach."""
    is_sqlite = request.param == "sqlite"
    environment = {
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_ENDPOINT_URL_DYNAMODB": moto_url(),
        "AWS_ENDPOINT_URL_SECRETS_MANAGER": moto,
        "AWS_ENDPOINT_URL_SESV2": moto,
        "ASL_STEP_FUNCTIONS_ENDPOINT": step_functions[0],
        "ASL_STORE": f"sqlite:{tmp_path / 'approvals.db'}" if is_sqlite else f"dynamodb:{new_table(moto_url())}",
        "ASL_APPROVALS_URL": URL,
        "ASL_MAIL_FROM": SENDER,
        **secrets,
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    functions = Deployed(step_functions[1])
    yield functions
    functions.close()


def end(handle: Any) -> None:
    """What Lambda does by ending the process: let go of threads and connections."""
    module = handle.__globals__
    desk = (module.get("pages") or module.get("notifier"))._desk
    channels = module["notifier"]._channels if "notifier" in module else {}
    for holder in (desk._answers, channels.get("email")):
        client = getattr(holder, "_client", None)
        if client is not None:
            client.close()
    table = getattr(desk._resources, "_client", None)
    if table is not None:
        module["loop"].run_until_complete(table.close())
    module["loop"].run_until_complete(module["loop"].shutdown_default_executor())
    module["loop"].close()


def http_event(method: str, path: str, body: str, headers: dict[str, str]) -> dict[str, Any]:
    """API Gateway's payload format 2.0; it sends bodies in Base64 when they are no plain text, as forms are."""
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {"http": {"method": method, "path": path}, "domainName": "abc123"},
        "body": base64.b64encode(body.encode()).decode(),
        "isBase64Encoded": True,
    }


def test_step_functions_own_payload_asks_and_the_answer_goes_back_to_it(deployed: Deployed) -> None:
    answer = deployed.notifier(PAYLOAD, None)
    assert (answer["notified"], answer["status"]) == (1, "OPEN")
    assert json.dumps(answer)
    assert PAYLOAD["taskToken"] not in deployed.mail() + json.dumps(answer)

    path = deployed.link()
    shown = deployed.visit(path)
    assert (shown["statusCode"], shown["headers"]["Cache-Control"]) == (200, "no-store")
    assert deployed.taken == []
    form = urlencode({"nonce": deployed.nonce(path), "choice": "approve"})
    decided = deployed.visit(path, "POST", form, **{"Content-Type": "application/x-www-form-urlencoded"})

    assert decided["statusCode"] == 200
    ((operation, request),) = deployed.taken
    assert (operation, request["taskToken"]) == ("SendTaskSuccess", PAYLOAD["taskToken"])
    assert json.loads(request["output"])["decidedBy"] == ["Ada"]


def test_the_client_that_answers_belongs_to_the_cold_start(deployed: Deployed) -> None:
    """Making it takes half a second, and Slack waits for three."""
    handle: Any = deployed.approvals
    assert handle.__globals__["pages"]._desk._answers._client is not None


def test_a_no_is_sent_as_a_failure(deployed: Deployed) -> None:
    deployed.notifier(PAYLOAD, None)
    tell = deployed.notifier({**PAYLOAD, "choices": [{"id": "ok"}, {"id": "no", "error": "TooRisky"}]}, None)
    assert tell["notified"] == 0  # the same token: it was asked already
    deployed.notifier({**PAYLOAD, "taskToken": "t" * 80, "choices": [{"id": "no", "error": "No"}, {"id": "ok"}]}, None)
    path = deployed.link()
    form = urlencode({"nonce": deployed.nonce(path), "choice": "no"})
    deployed.visit(path, "POST", form, **{"content-type": "application/x-www-form-urlencoded"})

    ((operation, request),) = deployed.taken
    assert (operation, request["error"]) == ("SendTaskFailure", "No")
    assert json.loads(request["cause"])["choice"] == "no"


def test_an_answer_that_step_functions_no_longer_waits_for_is_told(deployed: Deployed) -> None:
    deployed.taken.append(("SendTaskFailure", {"taskToken": PAYLOAD["taskToken"]}))
    deployed.notifier(PAYLOAD, None)
    path = deployed.link()
    form = urlencode({"nonce": deployed.nonce(path), "choice": "approve"})
    told = deployed.visit(path, "POST", form, **{"content-type": "application/x-www-form-urlencoded"})

    assert told["statusCode"] == 410
    assert "The workflow no longer waits for this" in told["body"]


@pytest.mark.parametrize(
    "asking",
    [
        {"taskToken": issue("seed", TokenClaims(EXECUTION, "frame", 1))},
        {"execution": EXECUTION},
    ],
    ids=["the engine's own token", "a token of Step Functions, with the execution beside it"],
)
def test_a_link_to_an_execution_that_has_ended_says_so_at_once_where_that_can_be_seen(
    deployed: Deployed, asking: dict[str, str]
) -> None:
    deployed.notifier({**PAYLOAD, **asking}, None)
    path = deployed.link()
    assert deployed.visit(path)["statusCode"] == 200  # nobody may see whether it runs: the form

    deployed.executions[EXECUTION] = "RUNNING"
    assert deployed.visit(path)["statusCode"] == 200
    deployed.executions[EXECUTION] = "ABORTED"
    assert deployed.visit(path, "HEAD")["statusCode"] == 410
    assert "The workflow no longer waits for this" in deployed.visit(path)["body"]
    assert deployed.taken == []


def test_slacks_click_is_verified_over_the_bytes_that_came(deployed: Deployed) -> None:
    deployed.notifier(PAYLOAD, None)
    token = deployed.link().rpartition("/")[2]
    request = posted(click(token, "U1", response_url=""), int(time.time()))
    wrong = {**request.headers, "x-slack-signature": "v0=" + "0" * 64}
    assert deployed.visit("/approvals/slack", "POST", request.body.decode(), **wrong)["statusCode"] == 401
    assert deployed.taken == []

    answer = deployed.visit("/approvals/slack", "POST", request.body.decode(), **request.headers)
    assert (answer["statusCode"], answer["body"]) == (200, "")
    assert [operation for operation, _ in deployed.taken] == ["SendTaskSuccess"]


def test_a_body_that_is_no_base64_is_refused(deployed: Deployed) -> None:
    deployed.notifier(PAYLOAD, None)
    event = http_event("POST", deployed.link(), "", {"content-type": "application/x-www-form-urlencoded"})
    assert deployed.approvals({**event, "body": "%"}, None)["statusCode"] == 403
    assert deployed.approvals({**event, "body": None, "isBase64Encoded": False}, None)["statusCode"] == 403
    assert deployed.approvals(http_event("GET", "/favicon.ico", "", {}), None)["statusCode"] == 404


def test_a_payload_that_cannot_be_used_is_an_error_with_a_name(deployed: Deployed) -> None:
    with pytest.raises(InvalidApprovalRequest, match="/approvers: nobody is asked"):
        deployed.notifier({**PAYLOAD, "approvers": []}, None)


def test_a_warm_function_takes_links_that_were_signed_after_a_rotation(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch, moto: str
) -> None:
    manager = boto3.client("secretsmanager", endpoint_url=moto, region_name=REGION)
    rotated = manager.create_secret(Name=f"rotated-{time.time_ns()}", SecretString=json.dumps({"k1": "ab" * 32}))
    monkeypatch.setenv("ASL_SIGNING_SECRET_ARN", rotated["ARN"])
    deployed.approvals = deployed.load("approvals")
    manager.put_secret_value(SecretId=rotated["ARN"], SecretString=json.dumps({"k2": "cd" * 32, "k1": "ab" * 32}))
    manager.close()
    deployed.load("notifier")(PAYLOAD, None)

    path = deployed.link()
    assert path.startswith("/approvals/k2.")
    assert deployed.visit(path)["statusCode"] == 200


@pytest.mark.parametrize("name", ["ASL_STORE", "ASL_APPROVALS_URL", "ASL_SIGNING_KEYS"])
def test_a_missing_setting_fails_the_cold_start_by_its_name(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delenv("ASL_SIGNING_SECRET_ARN")
    monkeypatch.setenv("ASL_SIGNING_KEYS", "k1:" + "ab" * 32)
    monkeypatch.delenv(name)
    with pytest.raises(ApprovalError, match=f"{name} is not set"):
        deployed.load("notifier")


def test_a_slack_secret_without_a_value_yet_leaves_slack_out(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("ASL_SLACK_SECRET_ARN", f"arn:aws:secretsmanager:{REGION}:123456789012:secret:none-yet")
    approvals = deployed.load("approvals")
    assert "the secret of ASL_SLACK_SECRET_ARN has no value yet" in caplog.text
    assert approvals(http_event("POST", "/approvals/slack", "", {}), None)["statusCode"] == 404


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("ASL_WEBHOOKS", "[]", "must be a JSON object"),
        ("ASL_WEBHOOKS", "secret stuff", "must be a JSON object"),
        ("ASL_WEBHOOKS", '{"pager": {"url": "https://x"}}', 'the webhook pager must have "url" and "secret"'),
    ],
)
def test_a_setting_that_cannot_be_read_is_refused_without_being_shown(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ApprovalError, match=expected) as refused:
        deployed.load("notifier")
    assert "secret stuff" not in str(refused.value)


def test_every_channel_that_is_configured_is_there(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASL_WEBHOOKS", '{"pager": {"url": "https://127.0.0.1:1/hook", "secret": "s"}}')
    monkeypatch.delenv("ASL_SLACK_SECRET_ARN")
    monkeypatch.setenv("ASL_SLACK", '{"webhook_url": "https://127.0.0.1:1/services/secret"}')
    notifier = deployed.load("notifier")
    payload = {**PAYLOAD, "channels": ["slack", {"type": "webhook", "name": "pager"}]}
    with pytest.raises(Exception, match="by slack: no answer to a message: URLError") as refused:
        notifier(payload, None)
    assert "Ada by webhook: no answer" in str(refused.value)
    assert "services/secret" not in str(refused.value)
