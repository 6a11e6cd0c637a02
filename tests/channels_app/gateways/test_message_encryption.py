"""Message encryption: the standard's own example, and a decryption that is not ours."""

import os

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from channels_app.gateways import message_encryption
from channels_app.gateways.message_encryption import (
    MAX_PLAINTEXT_BYTES,
    BadKeys,
    decode_base64url,
    encode_base64url,
    encrypt,
    subscription_keys,
)

# RFC 8291, appendix A.
PLAINTEXT = "V2hlbiBJIGdyb3cgdXAsIEkgd2FudCB0byBiZSBhIHdhdGVybWVsb24"
SENDER_PRIVATE = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
RECEIVER_PUBLIC = (
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
)
SALT = "DGv6ra1nlYgDCS1FRnbzlw"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
MESSAGE = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6T"
    "lzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4"
    "a-fN"
)


def test_the_example_of_rfc_8291() -> None:
    scalar = int.from_bytes(decode_base64url(SENDER_PRIVATE))
    sender = ec.derive_private_key(scalar, ec.SECP256R1())

    message = encrypt(
        decode_base64url(PLAINTEXT),
        subscription_keys(RECEIVER_PUBLIC, AUTH),
        private_key=sender,
        salt=decode_base64url(SALT),
    )

    assert encode_base64url(message) == MESSAGE


@pytest.mark.parametrize("size", [0, 1, 100, MAX_PLAINTEXT_BYTES])
def test_another_implementation_decrypts_it(size: int) -> None:
    receiver = ec.generate_private_key(ec.SECP256R1())
    point = message_encryption.encoded_point(receiver.public_key())
    auth, plaintext = os.urandom(16), os.urandom(size)
    keys = subscription_keys(encode_base64url(point), encode_base64url(auth))

    message = encrypt(
        plaintext,
        keys,
        private_key=ec.generate_private_key(ec.SECP256R1()),
        salt=os.urandom(16),
    )

    assert len(message) == size + 103
    assert http_ece.decrypt(message, private_key=receiver, auth_secret=auth) == plaintext


def test_the_largest_message_fills_a_push_services_limit() -> None:
    assert MAX_PLAINTEXT_BYTES == 3993


def test_one_byte_more_is_refused() -> None:
    keys = subscription_keys(RECEIVER_PUBLIC, AUTH)

    with pytest.raises(ValueError):
        encrypt(
            b"x" * (MAX_PLAINTEXT_BYTES + 1),
            keys,
            private_key=ec.generate_private_key(ec.SECP256R1()),
            salt=bytes(16),
        )


@pytest.mark.parametrize(
    ("p256dh", "auth", "key", "complaint"),
    [
        ("", AUTH, "p256dh", "65 bytes"),
        ("!!!", AUTH, "p256dh", "base64url"),
        ("é", AUTH, "p256dh", "base64url"),
        (RECEIVER_PUBLIC[:-4], AUTH, "p256dh", "65 bytes"),
        (encode_base64url(b"\x04" + b"\x01" * 64), AUTH, "p256dh", "no point"),
        (encode_base64url(b"\x02" + b"\x01" * 64), AUTH, "p256dh", "uncompressed"),
        (encode_base64url(bytes(65)), AUTH, "p256dh", "uncompressed"),
        (RECEIVER_PUBLIC, "", "auth", "16 bytes"),
        (RECEIVER_PUBLIC, AUTH[:-2], "auth", "16 bytes"),
        (RECEIVER_PUBLIC, "!!!", "auth", "base64url"),
    ],
)
def test_keys_that_no_browser_gives_are_refused_by_name(
    p256dh: str, auth: str, key: str, complaint: str
) -> None:
    with pytest.raises(BadKeys, match=complaint) as refused:
        subscription_keys(p256dh, auth)

    assert refused.value.key == key


def test_padding_and_either_alphabet_are_accepted() -> None:
    assert decode_base64url("-_-_") == decode_base64url("+/+/")
    assert decode_base64url("AA==") == decode_base64url("AA") == b"\0"
