"""What arrives over HTTP, well-formed or not, is answered as AWS answers it, and never with a fault of the server."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from asl_engine.limits import REQUEST_BYTES_MAX
from asl_engine.server import wire
from tests.api.services import ROLE, passing
from tests.server.running import RunningServer, running

CONTENT_TYPE = "application/x-amz-json-1.0"


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running() as server:
        yield server


def send(
    server: RunningServer,
    body: bytes | str = b"{}",
    *,
    operation: str = "ListActivities",
    method: str = "POST",
    path: str = "/",
    **headers: str,
) -> tuple[int, Any, http.client.HTTPMessage]:
    """Status, parsed body and headers of the answer to one request."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    sent = {"Content-Type": CONTENT_TYPE, "X-Amz-Target": f"AWSStepFunctions.{operation}"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"null"), answer.headers
    finally:
        connection.close()


def test_an_answer_is_json_with_a_request_id(server: RunningServer) -> None:
    status, body, headers = send(server)
    assert (status, body) == (200, {"activities": []})
    assert headers["Content-Type"] == CONTENT_TYPE
    assert headers["x-amzn-RequestId"] != send(server)[2]["x-amzn-RequestId"]


def test_an_empty_body_is_an_empty_request(server: RunningServer) -> None:
    assert send(server, b"")[0] == 200


def test_the_name_of_the_host_does_not_matter(server: RunningServer) -> None:
    assert send(server, Host=f"sync-localhost:{server.port}")[0] == 200


def test_an_error_names_its_type(server: RunningServer) -> None:
    status, body, _ = send(server, '{"name": "a b"}', operation="CreateActivity")
    assert (status, body) == (400, {"__type": "InvalidName", "message": "Invalid Name: 'a b'"})


@pytest.mark.parametrize("operation", ["DestroyEverything", "", "ListActivities.X", "\u00fc"])
def test_an_operation_that_does_not_exist_is_unknown(server: RunningServer, operation: str) -> None:
    status, body, _ = send(server, operation=operation.encode().decode("latin-1"))
    assert (status, body["__type"]) == (400, "UnknownOperationException")


@pytest.mark.parametrize("target", ["ListActivities", "DynamoDB_20120810.ListTables", ""])
def test_the_target_of_another_service_is_unknown(server: RunningServer, target: str) -> None:
    status, body, _ = send(server, X_Amz_Target=target)
    assert (status, body["__type"]) == (400, "UnknownOperationException")


@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("PUT", "/"), ("POST", "/executions"), ("DELETE", "/a/b")])
def test_only_posts_to_the_root_are_requests(server: RunningServer, method: str, path: str) -> None:
    status, body, _ = send(server, method=method, path=path)
    assert (status, body["__type"]) == (404, "UnknownOperationException")


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "", "nonsense"])
def test_another_content_type_is_refused(server: RunningServer, content_type: str) -> None:
    """A web page can send only such ones to another host without asking: it can do nothing here."""
    status, body, _ = send(server, Content_Type=content_type)
    assert (status, body["__type"]) == (415, "UnsupportedMediaTypeException")


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b'{"a": NaN}', b"[" * 100_000, b"{}{}", b'{"maxResults": 1e999}'])
def test_a_body_that_is_no_json_cannot_be_read(server: RunningServer, body: bytes) -> None:
    status, answer, _ = send(server, body)
    assert (status, answer["__type"]) == (400, "SerializationException")


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "nonsense", "\u00fc"])
@pytest.mark.parametrize("body", [b"{}", gzip.compress(b"{}", mtime=0)])
def test_a_compressed_body_is_not_read(server: RunningServer, encoding: str, body: bytes) -> None:
    status, answer, _ = send(server, body, Content_Encoding=encoding)
    assert (status, answer["__type"]) == (400, "SerializationException")


def test_a_body_that_does_not_come_is_not_waited_for(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "_BODY_SECONDS", 0.01)
    head = f"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: {CONTENT_TYPE}\r\nContent-Length: 2\r\n"
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(f"{head}X-Amz-Target: AWSStepFunctions.ListActivities\r\n\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 408")


def test_a_body_beyond_the_limit_is_refused_and_the_server_goes_on(server: RunningServer) -> None:
    status, answer, _ = send(server, b" " * (REQUEST_BYTES_MAX + 1))
    assert (status, answer["__type"]) == (413, "RequestEntityTooLargeException")
    assert send(server)[0] == 200


def test_a_definition_up_to_the_limit_of_the_api_arrives(server: RunningServer) -> None:
    definition = json.dumps(passing(Comment="x" * 1_000_000))
    request = json.dumps({"name": "large", "definition": definition, "roleArn": ROLE})
    assert send(server, request, operation="CreateStateMachine")[0] == 200


def test_half_a_character_is_taken_and_given_back(server: RunningServer) -> None:
    arn = "arn:aws:states:eu-west-1:123456789012:activity:\\ud83d"
    status, answer, _ = send(server, f'{{"activityArn": "{arn}"}}', operation="DescribeActivity")
    assert (status, answer["__type"]) == (400, "InvalidArn")
    assert "\ud83d" in answer["message"]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/9.9\r\n\r\n",
    ],
)
def test_a_connection_that_breaks_harms_nobody_else(server: RunningServer, text: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(text)
    assert send(server)[0] == 200


def test_a_client_that_sends_slowly_holds_nobody_up(server: RunningServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as slow:
        slow.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n")
        assert send(server)[0] == 200
        slow.sendall(
            b"Content-Type: application/x-amz-json-1.0\r\nX-Amz-Target: AWSStepFunctions.ListActivities\r\n\r\n{}"
        )
        assert slow.recv(100).startswith(b"HTTP/1.1 200")


def test_a_worker_that_hangs_up_takes_no_task(server: RunningServer) -> None:
    client = server.client()
    activity = client.create_activity(name="review")["activityArn"]
    body = json.dumps({"activityArn": activity})
    with socket.create_connection(("127.0.0.1", server.port)) as worker:
        head = f"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: {CONTENT_TYPE}\r\nContent-Length: {len(body)}\r\n"
        worker.sendall(f"{head}X-Amz-Target: AWSStepFunctions.GetActivityTask\r\n\r\n{body}".encode())
        while not server.service.desk.waiting(activity):
            pass
    while server.service.desk.waiting(activity):
        pass
    definition = {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": activity, "End": True}}}
    machine = client.create_state_machine(name="review", definition=json.dumps(definition), roleArn=ROLE)
    client.start_execution(stateMachineArn=machine["stateMachineArn"])

    assert "taskToken" in client.get_activity_task(activityArn=activity)


def test_with_an_access_token_only_those_who_have_it_are_served() -> None:
    with running(access_token="open sesame") as guarded:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"X_Amz_Security_Token": "\u00fc"}):
            status, body, _ = send(guarded, **headers)
            assert (status, body["__type"]) == (403, "AccessDeniedException")
        assert send(guarded, Authorization="Bearer open sesame")[0] == 200
        assert guarded.client().list_activities()["activities"] == []  # as the credentials' session token
