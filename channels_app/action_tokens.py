"""The token in a banner by which its button works with the app closed.

It says who (membership), where (installation), what (conversation) and in which round (epoch), is
signed, and is worth nothing after the claim window. That it is used once is the claim's own doing.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from uuid import UUID

from django.core.signing import BadSignature, TimestampSigner, b62_encode, b64_encode
from django.utils.encoding import force_bytes


@dataclass(slots=True)
class Action:
    """What a token allows: one claim by one person from one device in one round."""

    membership_id: int
    installation_id: UUID
    conversation_id: int
    epoch: int


class BadToken(Exception):
    """Not a token of ours, changed on its way, or too old."""


class _Signer(TimestampSigner):
    """Django's, for thousands of tokens a second: what they have in common is worked out once."""

    def timestamp(self) -> str:
        return _spelled(int(time.time()))

    def signature(self, value: str | bytes, key: str | bytes | None = None) -> str:
        derived = _derived(self.salt, key or self.key)
        text = value.encode() if isinstance(value, str) else value
        return b64_encode(hmac.digest(derived, text, self.algorithm)).decode()


@lru_cache(maxsize=2)
def _spelled(second: int) -> str:
    return b62_encode(second)


@lru_cache(maxsize=8)
def _derived(salt: str | bytes, secret: str | bytes) -> bytes:
    """As `django.utils.crypto.salted_hmac` does it."""
    return hashlib.sha256(force_bytes(salt) + b"signer" + force_bytes(secret)).digest()


_signer = _Signer(salt="pushbridge.action")


def issue(action: Action) -> str:
    """A token for an action; 100 characters or so, safe in a URL."""
    return _signer.sign(
        f"{action.membership_id}.{action.installation_id.hex}"
        f".{action.conversation_id}.{action.epoch}"
    )


def redeem(token: str, *, max_age: timedelta) -> Action:
    """What a token allows.

    Raises:
        BadToken: it is forged, damaged, or older than `max_age`.
    """
    try:
        member, installation, conversation, epoch = _signer.unsign(token, max_age=max_age).split(
            "."
        )
        return Action(int(member), UUID(installation), int(conversation), int(epoch))
    except (BadSignature, ValueError) as error:
        raise BadToken(str(error)) from error
