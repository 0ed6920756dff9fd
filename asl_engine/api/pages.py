"""Pages of listings. A token is opaque, names the listing that it continues, and is signed: any other is refused."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

from asl_engine.errors import InvalidToken

PAGE_ITEMS: Final = 100
_SIGNATURE_BYTES: Final = 16
_Item = TypeVar("_Item")


class PageTokens:
    """Issues and reads tokens. Those of another key are refused."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def issue(self, listing: Sequence[object], cursor: str | int) -> str:
        """The token of the page behind `cursor`."""
        text = json.dumps(cursor).encode()
        return base64.urlsafe_b64encode(self._signature(listing, text) + text).decode()

    def read(self, listing: Sequence[object], token: str) -> Any:
        """The cursor of a token. Raises InvalidToken unless it was issued for this very listing."""
        try:
            decoded = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
        except (binascii.Error, UnicodeEncodeError) as error:
            raise InvalidToken(INVALID) from error
        signature, text = decoded[:_SIGNATURE_BYTES], decoded[_SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._signature(listing, text)):
            raise InvalidToken(INVALID)
        return json.loads(text)

    def _signature(self, listing: Sequence[object], text: bytes) -> bytes:
        signed = json.dumps([*listing, text.decode("utf-8", "replace")]).encode()
        return hmac.digest(self._key, signed, hashlib.sha256)[:_SIGNATURE_BYTES]


def page_size(request: Mapping[str, Any], *, default: int = PAGE_ITEMS) -> int:
    """How many items the caller wants; 0 asks for the default."""
    return int(request.get("maxResults") or default)


def first_page(items: Sequence[_Item], size: int) -> tuple[Sequence[_Item], _Item | None]:
    """The page out of one item more than it may have, and its last item if there are more."""
    page = items[:size]
    return page, page[-1] if len(items) > size else None


INVALID: Final = "Invalid Token: 'Invalid token'"
