"""Servers that pass requests on: to an HTTP API under its host name, or to a service that is to look different."""

from __future__ import annotations

import http.client
import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_OF_THE_CONNECTION = frozenset({"content-length", "transfer-encoding", "connection", "date", "server"})


@contextmanager
def passing_on(
    port: int,
    upstream: int,
    *,
    host: Callable[[], str] | None = None,
    changed: Callable[[bytes], bytes] = lambda body: body,
) -> Iterator[None]:
    """Listen on a port, ask the upstream one, and answer with what it said, changed."""

    class Gateway(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = dict(self.headers.items())
            if host is not None:
                headers = {name: value for name, value in headers.items() if name.lower() != "host"}
                headers["Host"] = host()
            connection = http.client.HTTPConnection("127.0.0.1", upstream)
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            content = changed(answer.read())
            connection.close()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in _OF_THE_CONNECTION:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_HEAD = do_OPTIONS = do_POST = _pass_on  # noqa: N815 - the names that the base class looks for

        def log_request(self, code: object = "-", size: object = "-") -> None:
            """Keep the report to the report."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Gateway)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
