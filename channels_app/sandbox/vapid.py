"""Who may push to a subscription: VAPID (RFC 8292), with autopush's words."""

import base64
import binascii
from dataclasses import dataclass
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

MAX_SECONDS = 24 * 3600
VERIFIED_LIMIT = 1000


class VapidError(ValueError):
    """The authorization does not hold; the text is what autopush says."""


@dataclass(frozen=True, slots=True)
class _Claims:
    audience: str
    subject: str
    expires_at: float


class Vapid:
    """Checks `Authorization: vapid t=…, k=…` headers for one origin."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._verified: dict[tuple[str, str], _Claims] = {}

    def check(self, authorization: str, *, subscribed_with: str, now: float) -> None:
        """Raise VapidError unless the sender holds the key of the subscription."""
        token, key = _parse(authorization)
        if key.rstrip("=") != subscribed_with:
            raise VapidError("VAPID public key mismatch")
        claims = self._verified.get((token, key))
        if claims is None:
            claims = _verify(token, key)
            if len(self._verified) >= VERIFIED_LIMIT:
                self._verified.clear()
            self._verified[token, key] = claims
        if claims.expires_at <= now:
            raise VapidError("Invalid VAPID expiry")
        if claims.expires_at > now + MAX_SECONDS:
            raise VapidError("The VAPID token expiration is too long")
        if claims.audience != self._origin:
            raise VapidError("Invalid VAPID audience")


def _parse(authorization: str) -> tuple[str, str]:
    scheme, _, rest = authorization.partition(" ")
    if not authorization:
        raise VapidError("Missing VAPID token")
    if scheme.lower() != "vapid":
        raise VapidError("Unknown auth scheme")
    parts = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    if not parts.get("t"):
        raise VapidError("Missing VAPID token")
    if not parts.get("k"):
        raise VapidError("Missing VAPID public key")
    return parts["t"], parts["k"]


def _verify(token: str, key: str) -> _Claims:
    try:
        point = base64.urlsafe_b64decode(key + "=" * (-len(key) % 4))
        public_key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except (ValueError, binascii.Error) as error:
        raise VapidError("Invalid VAPID public key") from error
    try:
        claims = jwt.decode(
            token,
            public_key,
            algorithms=["ES256"],
            options={"verify_aud": False, "verify_exp": False, "verify_iat": False},
        )
    except jwt.InvalidTokenError as error:
        raise VapidError(f"Invalid VAPID token: {error}") from error
    expires_at, subject = claims.get("exp"), claims.get("sub")
    if isinstance(expires_at, bool) or not isinstance(expires_at, int | float):
        raise VapidError("Invalid VAPID expiry")
    if not isinstance(subject, str) or urlsplit(subject).scheme not in ("mailto", "https"):
        raise VapidError("Invalid VAPID subject: a mailto: or https: URI")
    return _Claims(str(claims.get("aud")), subject, float(expires_at))
