"""What all pages look like: one document, one style sheet, and headers that let nothing else in.

No scripts, no images, nothing from elsewhere. The style sheet is allowed by its hash.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Final

from asl_engine.approvals.exchange import PageResponse
from asl_engine.approvals.markup import Html, fill

STYLE: Final = """
:root { color-scheme: light dark; --ink: #16191f; --muted: #4b5563; --paper: #ffffff; --line: #c4c9d1; --back: #eef1f5;
  --act: #0b5cad; --act-ink: #ffffff; --bad: #a3161f; --focus: #b45309; }
@media (prefers-color-scheme: dark) { :root { --ink: #eceff4; --muted: #b4bcc8; --paper: #1b1f27; --line: #4a5261;
  --back: #12151a; --act: #8ec5ff; --act-ink: #10151c; --bad: #ff9aa0; --focus: #ffb454; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--ink); font: 1.0625rem/1.5 system-ui, sans-serif; }
main { max-width: 40rem; margin: 0 auto; padding: 1.5rem 1.25rem 2rem; background: var(--paper); min-height: 100vh; }
@media (min-width: 44rem) { main { margin: 2rem auto; min-height: 0; border-radius: .5rem;
  border: 1px solid var(--line); } }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 1rem; overflow-wrap: anywhere; }
h2 { font-size: 1.0625rem; margin: 1.75rem 0 .5rem; }
p { margin: 0 0 .75rem; overflow-wrap: anywhere; }
.muted { color: var(--muted); font-size: .9375rem; }
table { width: 100%; border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: .5rem .75rem .5rem 0; border-top: 1px solid var(--line);
  overflow-wrap: anywhere; }
th { font-weight: 600; }
thead th, .whole { overflow-wrap: break-word; }
td { font-variant-numeric: tabular-nums; }
td:last-child { padding-right: 0; }
@media (max-width: 24rem) { table { font-size: .875rem; } th, td { padding-right: .5rem; } }
label, legend { display: block; font-weight: 600; margin: 1rem 0 .25rem; }
label.inline { display: flex; gap: .6rem; align-items: center; min-height: 2.75rem; }
input, textarea, select, button { font: inherit; color: inherit; }
input[type=text], textarea, select { width: 100%; padding: .6rem .7rem; border: 1px solid var(--muted);
  border-radius: .3rem; background: var(--paper); }
input[type=checkbox] { width: 1.4rem; height: 1.4rem; }
textarea { min-height: 6rem; }
.buttons { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 1.5rem; }
button { flex: 1 1 10rem; min-height: 3rem; padding: .6rem 1rem; border-radius: .35rem; border: 2px solid var(--act);
  background: var(--paper); color: var(--act); font-weight: 600; cursor: pointer; }
button.first { background: var(--act); color: var(--act-ink); }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
.error { color: var(--bad); font-weight: 600; margin: .25rem 0 0; }
[role=alert] { border-left: .3rem solid var(--bad); padding: .5rem .9rem; margin: 0 0 1rem; }
[role=status] { border-left: .3rem solid var(--act); padding: .5rem .9rem; margin: 0 0 1rem; }
"""
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
HEADERS: Final[Mapping[str, str]] = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "interest-cohort=()",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=63072000",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
}
_DOCUMENT: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow">
<title>$title</title>
<style>$style</style>
</head>
<body>
<main>
<h1>$heading</h1>
$content
</main>
</body>
</html>
"""


def page(status: int, heading: str, content: Html, *, title: str = "") -> PageResponse:
    """A page with these headers and this status."""
    document = fill(_DOCUMENT, title=title or heading, style=Html(STYLE), heading=heading, content=content)
    return PageResponse(status=status, headers=HEADERS, body=document)
