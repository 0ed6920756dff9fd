"""Links: they name an approval, a recipient and perhaps a choice, expire, and decide nothing by themselves.

A link never carries the task token, nor the recipient's address. A page that a link shows carries a nonce that
belongs to this very link; what the page sends counts only with it, and once.
"""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass
from typing import Final

from asl_engine.approvals.signing import RotatedKeys, SigningKeys, unpadded
from asl_engine.errors import InvalidLink

_LINK: Final = "approval link"
_NONCE: Final = "approval nonce "


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What a link claims. `round` is that of the request it came with; an empty `choice` offers all of them.

    `expires_at` is epoch seconds.
    """

    approval_id: str
    round: int
    recipient_id: str
    choice: str
    expires_at: int


class Links:
    """Makes and reads links and the nonces of their pages."""

    def __init__(self, keys: SigningKeys | RotatedKeys) -> None:
        self._keys = keys

    def token(self, link: Link) -> str:
        """The link as it stands in a URL."""
        claims = [link.approval_id, link.round, link.recipient_id, link.choice, link.expires_at]
        return self._keys.sign(_LINK, unpadded(json.dumps(claims, separators=(",", ":")).encode()))

    def read(self, token: str) -> Link:
        """What one of our links claims; it may have expired. Raises InvalidLink."""
        text = self._keys.verified(_LINK, token)
        claims = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        approval_id, round_, recipient_id, choice, expires_at = claims
        return Link(
            approval_id=approval_id, round=round_, recipient_id=recipient_id, choice=choice, expires_at=expires_at
        )

    def nonce(self, link_token: str) -> str:
        """A nonce for one showing of a link's page."""
        return self._keys.sign(_NONCE + link_token, secrets.token_urlsafe(12))

    def is_nonce_of(self, link_token: str, nonce: str) -> bool:
        """Whether this nonce was given out with this link's page.

        That it was not used before is for the approval to say.
        """
        try:
            self._keys.verified(_NONCE + link_token, nonce)
        except InvalidLink:
            return False
        return True
