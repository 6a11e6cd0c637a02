"""Tokens that every process makes alike."""

import subprocess
import sys
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from channels_app.gateways import es256
from channels_app.gateways.outcomes import BrokenCredentials


def written(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, path: Path) -> str:
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return str(path)


@pytest.fixture
def key_path(tmp_path: Path) -> str:
    return written(ec.generate_private_key(ec.SECP256R1()), tmp_path / "key.p8")


def test_a_token_is_a_valid_es256_jwt(key_path: str) -> None:
    key = es256.load_key(key_path)

    token = es256.token({"iss": "TEAM", "iat": 5}, key, {"kid": "KEY"})

    assert jwt.decode(
        token, key.public_key(), algorithms=["ES256"], options={"verify_iat": False}
    ) == {"iss": "TEAM", "iat": 5}
    assert jwt.get_unverified_header(token) == {"alg": "ES256", "kid": "KEY", "typ": "JWT"}


def test_another_process_makes_the_same_bytes(key_path: str) -> None:
    program = (
        "import sys; from channels_app.gateways import es256;"
        "print(es256.token({'iss': 'T', 'iat': 5}, es256.load_key(sys.argv[1]), {'kid': 'K'}))"
    )

    other = subprocess.run(
        [sys.executable, "-c", program, key_path], capture_output=True, check=True, text=True
    ).stdout.strip()

    assert other == es256.token({"iss": "T", "iat": 5}, es256.load_key(key_path), {"kid": "K"})


def test_pyjwt_itself_still_signs_as_before(key_path: str) -> None:
    key = es256.load_key(key_path)
    es256.token({}, key, {})

    assert jwt.encode({}, key, "ES256") != jwt.encode({}, key, "ES256")


def test_a_window_starts_at_a_multiple_of_its_length() -> None:
    assert es256.window_start(7199.9, 3600) == 3600
    assert es256.window_start(7200.0, 3600) == 7200


@pytest.mark.parametrize("content", [b"", b"not a key", b"-----BEGIN PRIVATE KEY-----\nAA\n"])
def test_a_broken_key_file_is_broken_credentials(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "key.p8"
    path.write_bytes(content)

    with pytest.raises(BrokenCredentials):
        es256.load_key(str(path))


def test_a_key_file_that_is_not_there_is_broken_credentials(tmp_path: Path) -> None:
    with pytest.raises(BrokenCredentials):
        es256.load_key(str(tmp_path / "none.p8"))


def test_a_key_of_another_kind_is_broken_credentials(tmp_path: Path) -> None:
    other_curve = written(ec.generate_private_key(ec.SECP384R1()), tmp_path / "384.p8")
    other_kind = written(rsa.generate_private_key(65537, 2048), tmp_path / "rsa.p8")

    for path in (other_curve, other_kind):
        with pytest.raises(BrokenCredentials, match="P-256"):
            es256.load_key(path)
