"""Posting to configured addresses: no redirects, no secrets in errors."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator

import pytest

from asl_engine.approvals.outgoing_http import HttpAnswer, http_post
from asl_engine.errors import NotificationFailed
from tests.approvals.office import run


class Receiver(http.server.BaseHTTPRequestHandler):
    """Answers with the status that the path names; /302 leads elsewhere."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(int(self.path[1:4]))
        self.send_header("Location", "/200")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Keep the tests' output to the tests."""


@pytest.fixture(scope="module")
def receiver() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("status", [200, 204, 302, 307, 404, 500])
def test_the_answer_is_what_the_address_itself_says(receiver: str, status: int) -> None:
    answer = run(http_post(f"{receiver}/{status}", b"hello", {"X-A": "b"}, timeout_seconds=5))
    assert answer == HttpAnswer(status, b"" if status == 204 else b"hello")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/", "", "services/secret"])
def test_only_the_web_is_posted_to(url: str) -> None:
    with pytest.raises(NotificationFailed, match="http or https") as refused:
        run(http_post(url, b"", {}, timeout_seconds=1))
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/secret", "http://[::1/secret"])
def test_no_answer_is_told_without_the_address(url: str) -> None:
    with pytest.raises(NotificationFailed, match="no answer to a message") as refused:
        run(http_post(url, b"", {}, timeout_seconds=1))
    assert "secret" not in str(refused.value)
