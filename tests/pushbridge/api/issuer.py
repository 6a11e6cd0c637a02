"""An OpenID issuer on a port of this machine: documents, keys and tokens, right or wrong."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

AUDIENCE = "pushbridge-api"
DISCOVERY = "/.well-known/openid-configuration"
KEYS = "/keys"


@cache
def rsa_key(name: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """The same for the same name: making one takes a while."""
    return rsa.generate_private_key(65537, bits)


@cache
def ec_key(name: str) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def public(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, kid: str, **more: str) -> Any:
    """The JWK of a key's public half."""
    algorithm = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
    found = json.loads(str(algorithm.to_jwk(key.public_key())))  # type: ignore[arg-type]
    return {**found, "kid": kid, "use": "sig", **more}


@dataclass
class Issuer:
    """What it serves, and what it was asked for. `answers` says otherwise, by path."""

    url: str
    keys: list[Any] = field(default_factory=lambda: [public(rsa_key("one"), "one")])
    answers: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    delay: float = 0

    def answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
        self.asked[path] += 1
        time.sleep(self.delay)
        if path in self.answers:
            return self.answers[path]
        documents: dict[str, dict[str, Any]] = {
            DISCOVERY: {"issuer": self.url, "jwks_uri": f"{self.url}{KEYS}"},
            KEYS: {"keys": self.keys},
        }
        body = json.dumps(documents[path]).encode()
        return 200, {"Content-Type": "application/json"}, body

    def token(
        self,
        *,
        key: Any = None,
        kid: str | None = "one",
        algorithm: str = "RS256",
        without: str = "",
        **claims: Any,
    ) -> str:
        """A token for alice that is valid for a minute, but for what is said otherwise."""
        now = int(time.time())
        body = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "alice",
            "azp": "phone",
            "iat": now,
            "exp": now + 60,
            **claims,
        }
        body.pop(without, None)
        headers = {"kid": kid} if kid is not None else {}
        return jwt.encode(body, key or rsa_key("one"), algorithm, headers=headers)


@contextmanager
def running() -> Iterator[Issuer]:
    """An issuer that answers as long as this lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = issuer.answer(self.path)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer = Issuer(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
