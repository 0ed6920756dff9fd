"""The approval pages of the local server, and the outbox in which its mail is captured.

Whoever has a link may use it. The outbox has everybody's links, so it is shown to this machine alone, under a local
name (another site's name may be made to point here), and with the access token if there is one: as the password that
browsers ask for.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import ipaddress
import re
from typing import Final

from aiohttp import web

from asl_engine.approvals.exchange import PageRequest, PageResponse
from asl_engine.approvals.local import CapturedMail, LocalApprovals
from asl_engine.approvals.markup import Html, escape, fill, joined
from asl_engine.approvals.page_layout import HEADERS, page
from asl_engine.approvals.page_texts import malformed, moment, not_found

_URL: Final = re.compile(r"(https?://[^\s<>\"]+)")
_MAIL_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


def add_approval_routes(application: web.Application, approvals: LocalApprovals, access_token: str | None) -> None:
    """Serve both below /approvals and /outbox."""
    outbox = _OutboxPages(approvals, access_token)
    application.router.add_route("*", "/approvals/{path:.*}", _ApprovalRoute(approvals).handle)
    application.router.add_get("/outbox", outbox.index)
    application.router.add_get(r"/outbox/{number:\d{1,9}}", outbox.show)
    application.router.add_get(r"/outbox/{number:\d{1,9}}/html", outbox.show_html)


class _ApprovalRoute:
    def __init__(self, approvals: LocalApprovals) -> None:
        self._approvals = approvals

    async def handle(self, request: web.Request) -> web.Response:
        assert self._approvals.pages is not None, "opened before requests are served"
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            body = await request.read()
        except web.HTTPException:
            return _sent(malformed())
        page_request = PageRequest(method=request.method, path=request.match_info["path"], headers=headers, body=body)
        # What was decided is sent to its task, whether the browser waits for the page or not.
        return _sent(await asyncio.shield(self._approvals.pages.handle(page_request)))


class _OutboxPages:
    def __init__(self, approvals: LocalApprovals, access_token: str | None) -> None:
        self._approvals, self._access_token = approvals, access_token

    async def index(self, request: web.Request) -> web.Response:
        """The mails, newest first."""
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        rows = joined(
            fill(
                '<tr><td><a href="/outbox/$number">$subject</a></td><td>$to</td><td>$at</td></tr>',
                number=str(mail.number),
                subject=mail.subject,
                to=mail.to,
                at=moment(mail.at),
            )
            for mail in reversed(self._mails())
        )
        head = Html(
            '<thead><tr><th scope="col">Subject</th><th scope="col">To</th><th scope="col">At</th></tr></thead>'
        )
        empty = Html("<p>No mail yet. It comes when a task invokes the notifier.</p>")
        table = fill("<table>$head<tbody>$rows</tbody></table>", head=head, rows=rows)
        return _sent(page(200, "Outbox", table if rows else empty))

    async def show(self, request: web.Request) -> web.Response:
        """One mail as plain text, with its links."""
        refusal, mail = self._refusal(request), self._mail(request)
        if refusal is not None or mail is None:
            return refusal or _sent(not_found())
        parts = [
            fill('<a href="$url">$url</a>', url=part) if _URL.fullmatch(part) else escape(part)
            for part in _URL.split(mail.text)
        ]
        content = fill(
            '<p class="muted">To $to, $at. <a href="/outbox/$number/html">As HTML</a>, '
            '<a href="/outbox">all mail</a></p><p>$text</p>',
            to=mail.to,
            at=moment(mail.at),
            number=str(mail.number),
            text=joined(Html(part.replace("\n", "<br>")) for part in parts),
        )
        return _sent(page(200, mail.subject, content))

    async def show_html(self, request: web.Request) -> web.Response:
        """One mail as clients that know HTML show it."""
        refusal, mail = self._refusal(request), self._mail(request)
        if refusal is not None or mail is None:
            return refusal or _sent(not_found())
        headers = {**HEADERS, "Content-Security-Policy": _MAIL_POLICY}
        return _sent(PageResponse(status=200, headers=headers, body=mail.html))

    def _mails(self) -> list[CapturedMail]:
        return [] if self._approvals.outbox is None else [*self._approvals.outbox.mails]

    def _mail(self, request: web.Request) -> CapturedMail | None:
        number = int(request.match_info["number"])
        return next((mail for mail in self._mails() if mail.number == number), None)

    def _refusal(self, request: web.Request) -> web.Response | None:
        if not (_is_loopback(request.remote or "") and _is_local_name(request.url.host or "")):
            return _sent(not_found())
        if self._access_token is None or _has_token(request, self._access_token):
            return None
        refused = page(401, "The outbox needs the server's access token", Html("<p>Give it as the password.</p>"))
        headers = {**refused.headers, "WWW-Authenticate": 'Basic realm="outbox", charset="UTF-8"'}
        return _sent(PageResponse(status=401, headers=headers, body=refused.body))


def _has_token(request: web.Request, access_token: str) -> bool:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme == "Basic":
        try:
            given = base64.b64decode(given, validate=True).decode().partition(":")[2]
        except (binascii.Error, ValueError):
            return False
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), access_token.encode())


def _is_local_name(host: str) -> bool:
    return host == "localhost" or _is_loopback(host)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _sent(response: PageResponse) -> web.Response:
    return web.Response(status=response.status, headers=dict(response.headers), text=response.body)
