"""A small HTTP server that answers the Invoke API on a port of its own, as a test tells it to."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """A request that arrived."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What to answer. `promised_bytes` announces a longer body than is sent, and then hangs up."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=lambda: {"X-Amz-Executed-Version": "$LATEST"})
    promised_bytes: int = 0


Behaviour = Callable[[Invocation], Reply]


@dataclass(slots=True)
class LambdaService:
    """A running server: where it is, and what arrived."""

    url: str
    invocations: list[Invocation]


@contextmanager
def lambda_service(behaviour: Behaviour) -> Iterator[LambdaService]:
    """Serve until the block ends; one thread for each connection."""
    invocations: list[Invocation] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            invocation = Invocation(path=self.path, headers=dict(self.headers), body=body)
            invocations.append(invocation)
            reply = behaviour(invocation)
            self.send_response(reply.status)
            headers = {"Content-Type": "application/json", "x-amzn-RequestId": "request-1", **reply.headers}
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(reply.promised_bytes or len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)
            self.close_connection = reply.promised_bytes > 0

        do_GET = do_PUT = do_POST  # noqa: N815 - the names that http.server looks for

        def log_request(self, code: object = "-", size: object = "-") -> None:
            """Keep the tests' output to the tests."""

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield LambdaService(f"http://127.0.0.1:{server.server_port}", invocations)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
