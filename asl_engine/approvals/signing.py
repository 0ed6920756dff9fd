"""Signed texts, with a key id so that keys can be rotated: the first key signs, every key verifies.

A signed text is `KEY_ID.TEXT.MAC`, where MAC is the HMAC-SHA256 of all that stands before it and of what the text is
for, so that a nonce is never taken for a link. The MAC is compared as text and never decoded, so each signed text has
one spelling.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import re
from collections.abc import Callable, Sequence
from typing import Final

from asl_engine.errors import ApprovalError, InvalidLink

SIGNED_LENGTH_MAX: Final = 1_024
_KEY_BYTES_MIN: Final = 16
_REREAD_MILLISECONDS: Final = 60_000
_log: Final = logging.getLogger(__name__)
_KEY_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,16}")


class SigningKeys:
    """Keys by id. Never shown: neither `repr` nor an error names a key's bytes."""

    def __init__(self, keys: Sequence[tuple[str, bytes]]) -> None:
        """Raises ApprovalError for no key, a short one, or an id that is given twice."""
        for key_id, key in keys:
            if not _KEY_ID.fullmatch(key_id):
                raise ApprovalError("a signing key's id has 1 to 16 letters, digits, - or _")
            if len(key) < _KEY_BYTES_MIN:
                raise ApprovalError(f"signing key {key_id} has {len(key)} bytes; it needs {_KEY_BYTES_MIN} or more")
        if not keys or len(dict(keys)) < len(keys):
            raise ApprovalError("signing keys: give one or more, each with an id of its own")
        self._newest = keys[0][0]
        # The first blocks of an HMAC depend on the key alone: they are computed once.
        self._prepared = {key_id: hmac.new(key, digestmod=hashlib.sha256) for key_id, key in keys}

    @classmethod
    def parse(cls, text: str) -> SigningKeys:
        """From `ID:HEX,ID:HEX`, or {"ID": "HEX"} as Secrets Manager makes it. Raises ApprovalError without the text."""
        keys = []
        for part in text.strip("{} \n").replace('"', "").split(","):
            key_id, separator, written = part.strip().partition(":")
            try:
                key = bytes.fromhex(written)
            except ValueError:
                separator = ""
            if not separator:
                raise ApprovalError("signing keys are written as ID:HEX,ID:HEX: at least one is not")
            keys.append((key_id, key))
        return cls(keys)

    def knows_key_of(self, token: str) -> bool:
        """Whether a key of ours has the id that a signed text names."""
        return token.partition(".")[0] in self._prepared

    def sign(self, purpose: str, text: str) -> str:
        """The text, which must contain no dot, with the newest key's signature."""
        assert "." not in text, "the dot separates the parts"
        signed = f"{self._newest}.{text}"
        return f"{signed}.{self._mac(self._newest, purpose, signed)}"

    def verified(self, purpose: str, token: str) -> str:
        """The text that was signed for this purpose. Raises InvalidLink."""
        signed, _, given = token.rpartition(".")
        key_id, _, text = signed.partition(".")
        if len(token) > SIGNED_LENGTH_MAX or key_id not in self._prepared or not token.isascii():
            raise InvalidLink("no key of ours signed this")
        if not hmac.compare_digest(self._mac(key_id, purpose, signed), given):
            raise InvalidLink("no key of ours signed this")
        return text

    def _mac(self, key_id: str, purpose: str, signed: str) -> str:
        mac = self._prepared[key_id].copy()
        mac.update(f"{purpose}\0{signed}".encode())
        return unpadded(mac.digest())


class RotatedKeys:
    """Keys that others may change: read again when a text names one that is not known, at most once a minute.

    So a function that has been warm since before a rotation takes the links that a fresh one signed. `now` gives epoch
    milliseconds.
    """

    def __init__(self, read: Callable[[], SigningKeys], now: Callable[[], int]) -> None:
        self._read, self._now = read, now
        self._keys, self._next_read_at = read(), 0

    def sign(self, purpose: str, text: str) -> str:
        """See SigningKeys.sign."""
        return self._keys.sign(purpose, text)

    def verified(self, purpose: str, token: str) -> str:
        """See SigningKeys.verified."""
        if not self._keys.knows_key_of(token) and self._now() >= self._next_read_at:
            self._next_read_at = self._now() + _REREAD_MILLISECONDS
            try:
                self._keys = self._read()
            except Exception:
                _log.exception("the signing keys could not be read again: those from before are used")
        return self._keys.verified(purpose, token)


def unpadded(data: bytes) -> str:
    """Base64 for URLs, without the padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def fingerprint(text: str, length: int = 24) -> str:
    """A name for a text that does not give the text away, and that no command takes for an option."""
    return hashlib.sha256(text.encode()).hexdigest()[:length]
