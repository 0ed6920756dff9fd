"""What the team's functions pass first. It counts their calls, and can hold one while the engine waits for it."""

from __future__ import annotations

import http.server
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

_SECONDS_MAX = 30


class Gate:
    """Open, except for a function that is held."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/"
        self.passed: Counter[str] = Counter()
        self._held, self._at_the_gate, self._opened = "", threading.Event(), threading.Event()

    @contextmanager
    def holding(self, function: str) -> Iterator[threading.Event]:
        """Hold calls of a function until the block is left. The event is set once there is one."""
        self._held = function
        self._at_the_gate.clear()
        self._opened.clear()
        try:
            yield self._at_the_gate
        finally:
            self._held = ""
            self._opened.set()

    def pass_through(self, function: str) -> None:
        """A call of a function."""
        self.passed[function] += 1
        if function == self._held:
            self._at_the_gate.set()
            self._opened.wait(_SECONDS_MAX)


@contextmanager
def standing_gate() -> Iterator[Gate]:
    """A gate that functions reach by HTTP."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            gate.pass_through(self.path.removeprefix("/"))
            self.send_response(204)
            self.end_headers()

        def log_request(self, code: object = "-", size: object = "-") -> None:
            """Keep the report to the report."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    gate = Gate(server.server_address[1])
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield gate
    finally:
        server.shutdown()
        server.server_close()
