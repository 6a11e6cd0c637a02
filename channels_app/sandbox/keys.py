"""Everything secret that the sandbox makes for itself on its first start.

A certificate authority, a server certificate, and for each application the credentials that
Apple, Google and a web site's owner would hold. All files are readable by their owner only.
"""

import datetime as dt
import ipaddress
import json
import os
import secrets
import ssl
import string
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CA_YEARS = 10
CERTIFICATE_DAYS = 397
KEY_ID_ALPHABET = string.ascii_uppercase + string.digits


def write_secret(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    temporary.replace(path)


def prepare(state: Path, *, base_url: str, now: dt.datetime) -> None:
    """Create what is missing in `state`, and bring the rest up to this start's address."""
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    _certificate_authority(state, now)
    _server_certificate(state, now)
    _signing_key(state / "apns.p8")
    _signing_key(state / "vapid.pem")
    _service_account(state / "fcm.json", token_uri=f"{base_url}/token")
    _applications(state)
    if not (state / "oauth.secret").exists():
        write_secret(state / "oauth.secret", secrets.token_bytes(32))


def server_context(state: Path) -> ssl.SSLContext:
    """TLS as the push services have it: 1.2 at least, HTTP/2 or HTTP/1.1 by ALPN."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(state / "server.pem", state / "server.key")
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


def _pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _signing_key(path: Path) -> None:
    if not path.exists():
        write_secret(path, _pem(ec.generate_private_key(ec.SECP256R1())))


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _certificate_authority(state: Path, now: dt.datetime) -> None:
    if (state / "ca.pem").exists() and (state / "ca.key").exists():
        return
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("Pushbridge sandbox")
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=365 * CA_YEARS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    write_secret(state / "ca.key", _pem(key))
    write_secret(state / "ca.pem", certificate.public_bytes(Encoding.PEM))


def _server_certificate(state: Path, now: dt.datetime) -> None:
    """Issue a new one at every start: it can neither expire nor go stale."""
    authority = x509.load_pem_x509_certificate((state / "ca.pem").read_bytes())
    authority_key = load_pem_private_key((state / "ca.key").read_bytes(), password=None)
    assert isinstance(authority_key, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    names = [
        x509.DNSName("localhost"),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
        x509.IPAddress(ipaddress.ip_address("::1")),
    ]
    issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_name("localhost"))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=CERTIFICATE_DAYS))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(issuer_key, critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    write_secret(state / "server.key", _pem(key))
    write_secret(state / "server.pem", certificate.public_bytes(Encoding.PEM))


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _service_account(path: Path, *, token_uri: str) -> None:
    """A service account as Google's console exports it; `token_uri` follows the port."""
    account: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    if not account:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        email = "pushbridge@pushbridge-sandbox.iam.gserviceaccount.example"
        account = {
            "type": "service_account",
            "project_id": "pushbridge-sandbox",
            "private_key_id": secrets.token_hex(20),
            "private_key": _pem(key).decode(),
            "client_email": email,
            "client_id": "100000000000000000000",
            "universe_domain": "googleapis.com",
        }
    if account.get("token_uri") != token_uri:
        account["token_uri"] = token_uri
        write_secret(path, json.dumps(account, indent=2).encode())


def _applications(state: Path) -> None:
    """The three applications of the sandbox; others that were added by hand are kept."""
    path = state / "applications.json"
    applications: dict[str, dict[str, Any]] = json.loads(path.read_text()) if path.exists() else {}
    before = json.dumps(applications)
    apple = applications.setdefault(
        "ios-sandbox",
        {
            "platform": "APNS",
            "auth_key_id": "".join(secrets.choice(KEY_ID_ALPHABET) for _ in range(10)),
            "team_id": "".join(secrets.choice(KEY_ID_ALPHABET) for _ in range(10)),
            "topic": "com.example.pushbridge",
            "use_sandbox": False,
            "shape": "expo",
            "critical_alerts": True,
        },
    )
    google = applications.setdefault("android-sandbox", {"platform": "FCM", "shape": "expo"})
    web = applications.setdefault(
        "web-sandbox", {"platform": "WP", "subject": "mailto:ops@example.com"}
    )
    # Absolute paths are written again at each start, so that the folder may be moved.
    apple["auth_key_path"] = str((state / "apns.p8").resolve())
    google["service_account_path"] = str((state / "fcm.json").resolve())
    web["private_key_path"] = str((state / "vapid.pem").resolve())
    if json.dumps(applications) != before:
        write_secret(path, json.dumps(applications, indent=2).encode())
