"""Decryption of Web Push messages, as a browser does it (RFC 8291 on top of RFC 8188)."""

from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SALT_BYTES = 16
HEADER_BYTES = SALT_BYTES + 4 + 1
POINT_BYTES = 65
SMALLEST_RECORD = 18
TAG_BYTES = 16
LAST_RECORD = 0x02


class Undecryptable(ValueError):
    """A browser would drop this message; says why."""


@lru_cache(maxsize=10_000)
def _subscription_key(scalar: str) -> tuple[ec.EllipticCurvePrivateKey, bytes]:
    key = ec.derive_private_key(int(scalar, 16), ec.SECP256R1())
    return key, key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def decrypt(body: bytes, *, private_scalar: str, auth: bytes) -> bytes:
    """The plain text of one `aes128gcm` message.

    `private_scalar` is the subscription's private key in hexadecimal, `auth` its 16 bytes of
    authentication secret. Raises Undecryptable.
    """
    salt, sender_point, ciphertext = _split(body)
    private_key, own_point = _subscription_key(private_scalar)
    try:
        sender = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender_point)
    except ValueError as error:
        raise Undecryptable("the keyid is not a point on P-256") from error
    shared = private_key.exchange(ec.ECDH(), sender)
    info = b"WebPush: info\x00" + own_point + sender_point
    key_material = HKDF(SHA256(), 32, auth, info).derive(shared)
    content_key = HKDF(SHA256(), 16, salt, b"Content-Encoding: aes128gcm\x00").derive(key_material)
    nonce = HKDF(SHA256(), 12, salt, b"Content-Encoding: nonce\x00").derive(key_material)
    try:
        padded = AESGCM(content_key).decrypt(nonce, ciphertext, None)
    except InvalidTag as error:
        raise Undecryptable("it is not encrypted for this subscription's keys") from error
    return _without_padding(padded)


def _split(body: bytes) -> tuple[bytes, bytes, bytes]:
    """Salt, sender's public key and the one record (RFC 8188, section 2.1)."""
    if len(body) < HEADER_BYTES + POINT_BYTES + SMALLEST_RECORD - 1:
        raise Undecryptable("it is too short for an aes128gcm message")
    record_size = int.from_bytes(body[SALT_BYTES : SALT_BYTES + 4], "big")
    if body[HEADER_BYTES - 1] != POINT_BYTES:
        raise Undecryptable("the keyid must be the sender's public key, 65 bytes")
    ciphertext = body[HEADER_BYTES + POINT_BYTES :]
    if record_size < SMALLEST_RECORD:
        raise Undecryptable("the record size is below 18")
    if len(ciphertext) > record_size:
        raise Undecryptable("it has more than one record (RFC 8291, section 4)")
    return body[:SALT_BYTES], body[HEADER_BYTES : HEADER_BYTES + POINT_BYTES], ciphertext


def _without_padding(padded: bytes) -> bytes:
    text = padded.rstrip(b"\x00")
    if not text or text[-1] != LAST_RECORD:
        raise Undecryptable("the last record does not end with the delimiter 0x02")
    return text[:-1]
