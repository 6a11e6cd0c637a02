"""Standard Webhooks 1.0: who sent this, and when. Pure.

Source: "Standard Webhooks Specification", sections "Webhook metadata" and "Signature scheme". We
are stricter than the reference libraries about what a header may hold, because they raise on
hostile headers and accept timestamps such as `1e9`; what they sign is accepted here.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping

ID_HEADER = "webhook-id"
TIMESTAMP_HEADER = "webhook-timestamp"
SIGNATURE_HEADER = "webhook-signature"

SECRET_PREFIX = "whsec_"
# "Signing secrets should be between 24 bytes (192 bits) and 64 bytes (512 bits)."
SECRET_BYTES = range(24, 65)
# A platform that rotates keys sends two or three signatures; a header of thousands is an attack.
MAX_SIGNATURE_HEADER = 4096

_ID = re.compile(r"[\x21-\x7e]{1,256}")
_TIMESTAMP = re.compile(r"0|[1-9][0-9]{0,14}")


class BadSecret(ValueError):
    """The secret is not `whsec_` and the base64 of 24 to 64 bytes. The text never shows it."""


class Unverified(Exception):
    """The request is not surely from the platform, now. The text says why and quotes nothing."""


def decode_secret(secret: str) -> bytes:
    """The key of a `whsec_…` secret.

    Raises:
        BadSecret: the prefix, the base64 or the length is wrong.
    """
    if not secret.startswith(SECRET_PREFIX):
        raise BadSecret(f"the secret does not start with {SECRET_PREFIX}")
    try:
        key = base64.b64decode(secret[len(SECRET_PREFIX) :], validate=True)
    except (binascii.Error, ValueError):
        raise BadSecret(f"what follows {SECRET_PREFIX} is not base64") from None
    if len(key) not in SECRET_BYTES:
        raise BadSecret(
            f"the secret has {len(key)} bytes, not {SECRET_BYTES[0]} to {SECRET_BYTES[-1]}"
        )
    return key


def signature(*, key: bytes, webhook_id: str, timestamp: str, body: bytes) -> bytes:
    """The `v1,…` entry that belongs to this message under this key."""
    signed = f"{webhook_id}.{timestamp}.".encode("ascii") + body
    # Not hmac.digest(), which lets other threads run before it, however short the message is: for a
    # thread that has to wait for its turn again that is most of what a verification costs.
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    return b"v1," + base64.b64encode(digest)


def verify(
    *, keys: Iterable[bytes], headers: Mapping[str, str], body: bytes, now: float, tolerance: float
) -> str:
    """The webhook id of a request that was signed with one of these keys, just now.

    Args:
        keys: the live secrets, decoded (`decode_secret`).
        headers: at least the three `webhook-…` headers, if they came; names in lower case.
        body: the raw body, byte for byte.
        now: seconds since the epoch.
        tolerance: how many seconds the timestamp may lie in the past or in the future.

    Raises:
        Unverified: in every other case, whatever the headers hold.
    """
    webhook_id = _checked(headers, ID_HEADER, _ID, "1 to 256 visible ASCII characters")
    timestamp = _checked(headers, TIMESTAMP_HEADER, _TIMESTAMP, "whole seconds since the epoch")
    if abs(now - int(timestamp)) > tolerance:
        raise Unverified(
            f"{TIMESTAMP_HEADER} is more than {tolerance:g} seconds away from our clock"
        )
    given = _v1_signatures(headers.get(SIGNATURE_HEADER, ""))
    matched = False
    for key in keys:
        expected = signature(key=key, webhook_id=webhook_id, timestamp=timestamp, body=body)
        # No early exit: how long this takes says nothing about which signature or key fits.
        for candidate in given:
            matched |= hmac.compare_digest(expected, candidate)
    if not matched:
        raise Unverified(f"no signature in {SIGNATURE_HEADER} fits this body and these headers")
    return webhook_id


def _checked(headers: Mapping[str, str], name: str, form: re.Pattern[str], meaning: str) -> str:
    value = headers.get(name, "")
    if not value:
        raise Unverified(f"the header {name} is missing")
    if form.fullmatch(value) is None:
        raise Unverified(f"the header {name} is not {meaning}")
    return value


def _v1_signatures(header: str) -> list[bytes]:
    """The `v1` entries of the header; other versions (`v1a`: public keys) are somebody else's."""
    if not header:
        raise Unverified(f"the header {SIGNATURE_HEADER} is missing")
    if len(header) > MAX_SIGNATURE_HEADER or not header.isascii():
        raise Unverified(f"the header {SIGNATURE_HEADER} is too long or not ASCII")
    given = [part.encode("ascii") for part in header.split(" ") if part.startswith("v1,")]
    if not given:
        raise Unverified(f"the header {SIGNATURE_HEADER} holds no v1 signature")
    return given
