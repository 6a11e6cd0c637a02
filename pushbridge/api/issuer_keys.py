"""The published keys of an OpenID issuer: fetched seldom, however many tokens come."""

from __future__ import annotations

import json
import math
import threading
import time
from typing import Any
from urllib.parse import urlsplit

import jwt
import requests
import structlog

log = structlog.get_logger(__name__)

# Keys are looked at again after this long, so that one which the issuer withdrew is not believed
# much longer.
FRESH_SECONDS = 600.0
# While the issuer cannot be reached, keys that it published are believed for this long.
STALE_SECONDS = 24 * 3600.0
# Between two fetches, whatever tokens say: anybody can make up the id of a key.
PAUSE_SECONDS = 10.0
# A fetch of both documents; who has keys and waits for another's fetch waits less.
TIMEOUT_SECONDS = 3.0
PATIENCE_SECONDS = 1.0
# Of one document. Those of the large issuers are under 20 KiB.
MAX_BYTES = 256 * 1024

Key = dict[str, Any]


class UnknownKey(Exception):
    """The issuer publishes no such key for signatures."""


class KeysUnavailable(Exception):
    """The issuer's keys could not be fetched.

    Attributes:
        retry_after: whole seconds, after which we ask it again.
    """

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"the issuer's keys cannot be had for {retry_after} s")
        self.retry_after = retry_after


class IssuerKeys:
    """Keys of one issuer, for all threads of a process."""

    def __init__(self, *, issuer: str, jwks_url: str = "") -> None:
        """Without `jwks_url` the issuer's own document says where its keys are (OpenID Connect
        Discovery 1.0, section 4)."""
        self._issuer = issuer
        self._jwks_url = jwks_url
        self._lock = threading.Lock()
        self._keys: list[Key] = []
        self._made: dict[tuple[str | None, str], jwt.PyJWK] = {}
        self._fetched_at = -math.inf
        self._ask_at = -math.inf
        self._failing = False

    def key(self, kid: str | None, algorithm: str) -> jwt.PyJWK:
        """The key that a token names, for the algorithm that it names.

        A token that names none is checked by the only key there is.

        Raises:
            UnknownKey, KeysUnavailable
            jwt.PyJWTError: the key is not one for this algorithm.
        """
        if self._find(kid) is None or self._age() > FRESH_SECONDS:
            self._look_again(kid)
        found = self._find(kid)
        if self._age() > STALE_SECONDS or (found is None and self._failing):
            raise KeysUnavailable(max(math.ceil(self._ask_at - time.time()), 1))
        if found is None or found.get("alg", algorithm) != algorithm:
            raise UnknownKey("no key of the issuer fits it")
        # To load an RSA key takes longer than to check a signature with it.
        made = self._made
        if (kid, algorithm) not in made:
            made[kid, algorithm] = jwt.PyJWK(found, algorithm)
        return made[kid, algorithm]

    def _find(self, kid: str | None) -> Key | None:
        fitting = [key for key in self._keys if kid is None or key.get("kid") == kid]
        return fitting[0] if len(fitting) == 1 else None

    def _age(self) -> float:
        return time.time() - self._fetched_at

    def _look_again(self, kid: str | None) -> None:
        """Fetch the keys, unless that was done just now. One thread does; who needs it waits."""
        patience = PATIENCE_SECONDS if self._keys else 2 * TIMEOUT_SECONDS
        if self._find(kid) is not None:
            patience = 0
        if not self._lock.acquire(timeout=patience):
            return
        try:
            if time.time() >= self._ask_at:
                self._fetch()
        finally:
            self._lock.release()

    def _fetch(self) -> None:
        try:
            keys = self._published()
        except (requests.RequestException, ValueError) as error:
            log.warning("api.issuer_keys_not_fetched", issuer=self._issuer, error=str(error))
            self._failing = True
        else:
            self._keys, self._made, self._failing = keys, {}, False
            self._fetched_at = time.time()
        self._ask_at = time.time() + PAUSE_SECONDS

    def _published(self) -> list[Key]:
        """The issuer's keys that check signatures. Raises ValueError: not what it should answer."""
        document = _get(self._jwks_url or self._discovered())
        keys = document.get("keys")
        if not isinstance(keys, list):
            raise ValueError("the issuer's answer has no keys")
        return [
            key
            for key in keys
            if isinstance(key, dict) and key.get("use", "sig") == "sig" and key.get("kty") != "oct"
        ]

    def _discovered(self) -> str:
        document = _get(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        url = document.get("jwks_uri")
        if document.get("issuer") != self._issuer or not isinstance(url, str):
            raise ValueError("the document found is not this issuer's")
        if urlsplit(url).scheme != urlsplit(self._issuer).scheme:
            raise ValueError("the issuer's keys are not where they can be trusted")
        return url


def _get(url: str) -> dict[str, Any]:
    """The JSON object at an address, and nowhere else.

    Raises:
        requests.RequestException: not reached in time.
        ValueError: no such document there.
    """
    deadline = time.monotonic() + TIMEOUT_SECONDS
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    with requests.get(
        url, headers=headers, timeout=TIMEOUT_SECONDS, allow_redirects=False, stream=True
    ) as response:
        if response.status_code != requests.codes.ok:
            raise ValueError(f"{url} answers {response.status_code}")
        body = b""
        # Each read ends by the timeout; one byte at a time would not, all in all.
        while piece := response.raw.read1(MAX_BYTES):
            body += piece
            if len(body) > MAX_BYTES or time.monotonic() > deadline:
                raise ValueError(f"{url} answers too much, or too slowly")
    document = json.loads(body)
    if not isinstance(document, dict):
        raise ValueError(f"{url} is no JSON object")
    return document
