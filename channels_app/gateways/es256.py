"""ES256 tokens that several processes make alike, without speaking to each other.

Apple: "Refresh your token no more than once every 20 minutes and no less than once every 60
minutes", else TooManyProviderTokenUpdates. Every worker process has its own token, so a signature
with a random nonce would show Apple a different one from each. RFC 6979 derives the nonce from key
and message: with times rounded to a common window, all processes send the very same bytes.
"""

import functools
import json
import math
from collections.abc import Mapping
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
)
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import ECAlgorithm
from jwt.utils import der_to_raw_signature

from channels_app.gateways.outcomes import BrokenCredentials


class _DeterministicES256(ECAlgorithm):
    """PyJWT's ES256, with the nonce of RFC 6979."""

    def sign(self, msg: bytes, key: EllipticCurvePrivateKey) -> bytes:
        der = key.sign(msg, ECDSA(self.hash_alg(), deterministic_signing=True))
        return der_to_raw_signature(der, key.curve)


@functools.cache
def _signer() -> jwt.PyJWS:
    signer = jwt.PyJWS()
    signer.unregister_algorithm("ES256")
    signer.register_algorithm("ES256", _DeterministicES256(ECAlgorithm.SHA256))
    return signer


def load_key(path: str) -> EllipticCurvePrivateKey:
    """The P-256 key in a PEM file. Raises BrokenCredentials for anything else."""
    try:
        key = load_pem_private_key(Path(path).read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise BrokenCredentials("KeyUnreadable", str(error)) from error
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
        raise BrokenCredentials("KeyUnreadable", "not a P-256 key")
    return key


def token(
    claims: Mapping[str, object], key: EllipticCurvePrivateKey, headers: Mapping[str, str]
) -> str:
    """A signed JWT; equal arguments give equal bytes."""
    payload = json.dumps(dict(claims), separators=(",", ":")).encode()
    return _signer().encode(payload, key, algorithm="ES256", headers=dict(headers))


def window_start(now: float, seconds: int) -> int:
    """The start of the window of `seconds` that `now` (epoch seconds) lies in."""
    return math.floor(now / seconds) * seconds
