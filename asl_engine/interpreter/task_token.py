"""Task tokens: they name one attempt, and only the engine can make them.

A token is signed with the execution's own seed, which never leaves the journal. So forging one needs the journal, and
checking one needs no secret besides it. A token is of no use after its attempt: the interpreter ignores its events.

The signature comes last: a token that began with it would at times begin with "-", as the options of commands do.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from typing import NamedTuple

from asl_engine.errors import InvalidToken

_SIGNATURE_BYTES = 18


class TokenClaims(NamedTuple):
    """What a token says of itself; to be believed only after `verify`."""

    execution_arn: str
    frame_id: str
    wait_id: int


def issue(seed: str, claims: TokenClaims) -> str:
    """The token of an attempt."""
    payload = json.dumps(claims, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(payload + _signature(seed, payload)).decode()


def read(token: str) -> TokenClaims:
    """What the token says, unverified: where to look for the seed. Raises InvalidToken."""
    payload = _decode(token)[:-_SIGNATURE_BYTES]
    try:
        execution_arn, frame_id, wait_id = json.loads(payload)
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidToken("Invalid token") from error
    if not (isinstance(execution_arn, str) and isinstance(frame_id, str) and type(wait_id) is int):
        raise InvalidToken("Invalid token")
    return TokenClaims(execution_arn, frame_id, wait_id)


def verify(seed: str, token: str) -> None:
    """Raises InvalidToken unless the token was signed with this seed."""
    decoded = _decode(token)
    payload, signature = decoded[:-_SIGNATURE_BYTES], decoded[-_SIGNATURE_BYTES:]
    if not hmac.compare_digest(signature, _signature(seed, payload)):
        raise InvalidToken("Invalid token")


def _signature(seed: str, payload: bytes) -> bytes:
    return hmac.digest(seed.encode(), payload, hashlib.sha256)[:_SIGNATURE_BYTES]


def _decode(token: str) -> bytes:
    try:
        decoded = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise InvalidToken("Invalid token") from error
    if base64.urlsafe_b64encode(decoded).decode() != token:  # the spare bits of the last character: one text per token
        raise InvalidToken("Invalid token")
    return decoded
