"""Decryption against the standard's own example, and against another implementation."""

import base64

import pytest

from channels_app.sandbox.encryption import Undecryptable, decrypt


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


RECEIVER_KEY = _bytes("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94").hex()
AUTH = _bytes("BTBZMqHH6r4Tts7J_aSIgg")
MESSAGE = _bytes(
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27ml"
    "mlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT"
    "pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


def test_appendix_a_of_rfc_8291_decrypts() -> None:
    text = decrypt(MESSAGE, private_scalar=RECEIVER_KEY, auth=AUTH)
    assert text == b"When I grow up, I want to be a watermelon"


def test_another_authentication_secret_does_not_decrypt_it() -> None:
    with pytest.raises(Undecryptable):
        decrypt(MESSAGE, private_scalar=RECEIVER_KEY, auth=bytes(16))
