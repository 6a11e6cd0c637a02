"""Web Push: a push as a request, an answer as an outcome, a registration as good or bad.

Sources: RFC 8030 (protocol), RFC 8291 (encryption), RFC 8292 (VAPID); Notifications API standard.
"""

import hashlib
import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from channels_app import languages
from channels_app.gateways import es256, message_encryption, outcomes, sizes
from channels_app.gateways.banner_actions import actions, app_data
from channels_app.gateways.exchange import Headers, Reply, Request
from channels_app.gateways.message_encryption import BadKeys, encode_base64url
from channels_app.gateways.outcomes import Outcome, Unsendable
from channels_app.gateways.pushes import Push, Verdict

MAX_ENDPOINT_CHARACTERS = 2048
TOPIC_CHARACTERS = 32
VAPID_SECONDS = 12 * 3600
"""A VAPID token's greatest age; RFC 8292, section 2, allows 24 hours."""
VAPID_WINDOW_SECONDS = 6 * 3600
MAX_ORIGINS = 1000
PROVEN_SECONDS = 300.0
"""A key that a push service has accepted within this time is not what is broken."""

_ENDPOINT = re.compile(
    r"https://(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?)(?P<port>:[0-9]{1,5})?"
    r"/[A-Za-z0-9._~:/?\[\]@!$&'()*+,;=%-]*"
)
_URGENCIES = MappingProxyType({"critical": "high", "loud": "high", "quiet": "low"})


def endpoint_error(url: str, hosts: Sequence[str]) -> str | None:
    """Why `url` cannot be a push endpoint; None if it can.

    `hosts` are the push services that may be sent to: names, or "*.suffix" for all names below
    one, each followed by ":port" where that is not 443. The pattern is the whole parser: there is
    no second reading of the URL that could disagree with it.
    """
    if len(url) > MAX_ENDPOINT_CHARACTERS:
        return f"longer than {MAX_ENDPOINT_CHARACTERS} characters"
    match = _ENDPOINT.fullmatch(url)
    if match is None:
        return "not an https URL with a host and a path"
    host, port = match["host"].lower(), match["port"] or ":443"
    if not any(_is_listed(host, port, entry) for entry in hosts):
        return "not a push service that is allowed here"
    return None


def _is_listed(host: str, port: str, entry: str) -> bool:
    name, _, listed_port = entry.partition(":")
    if port != f":{listed_port or 443}":
        return False
    return host.endswith(name[1:]) if name.startswith("*.") else host == name


def origin_of(endpoint: str) -> str:
    """The origin of an endpoint that has no error: the audience of its VAPID token."""
    match = _ENDPOINT.fullmatch(endpoint)
    assert match is not None
    port = match["port"] or ""
    return f"https://{match['host'].lower()}{'' if port == ':443' else port}"


@dataclass(slots=True)
class WebPushApplication:
    """A web app's VAPID key, with the tokens it has signed and where it was last accepted."""

    key: ec.EllipticCurvePrivateKey
    subject: str
    hosts: Sequence[str]
    _tokens: dict[str, tuple[int, str]] = field(default_factory=dict)
    _accepted_at: dict[str, float] = field(default_factory=dict)

    def request(self, push: Push, now: datetime) -> Request:
        """`push` as an HTTP request. Raises Unsendable for a bad endpoint or bad keys."""
        endpoint = push.target.registration_id
        error = endpoint_error(endpoint, self.hosts)
        if error is not None:
            raise Unsendable("BadEndpoint", error)
        if push.level not in _URGENCIES:
            raise Unsendable("BadLevel", push.level)
        headers = (
            f"authorization: {self._authorization(origin_of(endpoint), now.timestamp())}",
            "content-encoding: aes128gcm",
            "content-type: application/octet-stream",
            f"ttl: {max(0, math.floor((push.expires_at - now).total_seconds()))}",
            f"urgency: {_URGENCIES[push.level]}",
            f"topic: {topic(push.collapse_key)}",
            "accept:",
            "user-agent:",
        )
        return Request(endpoint, headers, _encrypted(push))

    def outcome(self, reply: Reply, push: Push, now: datetime) -> Outcome:
        """What the push service answered."""
        assert reply.status is not None
        origin, at = origin_of(push.target.registration_id), now.timestamp()
        proven = at - self._accepted_at.get(origin, 0.0) < PROVEN_SECONDS
        outcome = classify(reply.status, reply.headers, reply.body, now, key_is_proven=proven)
        if outcome.verdict is Verdict.ACCEPTED:
            if len(self._accepted_at) >= MAX_ORIGINS:
                self._accepted_at.clear()
            self._accepted_at[origin] = at
        return outcome

    def _authorization(self, origin: str, now: float) -> str:
        """RFC 8292, section 3: one token per push service and window, for all its devices."""
        window = es256.window_start(now, VAPID_WINDOW_SECONDS)
        known = self._tokens.get(origin)
        if known is None or known[0] != window:
            claims = {"aud": origin, "exp": window + VAPID_SECONDS, "sub": self.subject}
            token = es256.token(claims, self.key, {})
            point = message_encryption.encoded_point(self.key.public_key())
            if len(self._tokens) >= MAX_ORIGINS:
                self._tokens.clear()
            known = (window, f"vapid t={token}, k={encode_base64url(point)}")
            self._tokens[origin] = known
        return known[1]


def topic(collapse_key: str) -> str:
    """The Topic of a banner's identity: 32 characters of base64url (RFC 8030, section 5.4)."""
    return encode_base64url(hashlib.sha256(collapse_key.encode()).digest())[:TOPIC_CHARACTERS]


def payload(push: Push) -> bytes:
    """The JSON for the service worker: `showNotification(title, options)`."""
    critical, quiet = push.level == "critical", push.level == "quiet"
    options: dict[str, Any] = {
        "tag": push.collapse_key,
        "renotify": critical,
        "requireInteraction": critical,
        "silent": quiet,
        "actions": [
            {"action": action.id, "title": action.title}
            for action in actions(push.category, push.locale)
        ],
        "data": app_data(push),
        "lang": languages.best(push.locale),
        "dir": "auto",
    }

    def encoded(title: str, body: str) -> bytes:
        return sizes.encode({"title": title, "body": body, **options})

    return sizes.fit(push.title, push.body, encoded, message_encryption.MAX_PLAINTEXT_BYTES)


def _encrypted(push: Push) -> bytes:
    try:
        keys = message_encryption.subscription_keys(push.target.p256dh, push.target.auth)
    except BadKeys as error:
        raise Unsendable("BadKeys", str(error)) from error
    return message_encryption.encrypt(
        payload(push),
        keys,
        private_key=ec.generate_private_key(ec.SECP256R1()),
        salt=os.urandom(message_encryption.SALT_BYTES),
    )


# RFC 8030, sections 5 and 7; Mozilla, "Autopush: error codes"; Apple, "Sending web push
# notifications in web apps and browsers"; Google, web.dev, "The Web Push Protocol".
_STATUSES: Mapping[int, Verdict] = MappingProxyType(
    {
        400: Verdict.REJECTED,
        404: Verdict.DEAD,
        410: Verdict.DEAD,
        413: Verdict.REJECTED,
        429: Verdict.RETRY,
    }
)


def classify(
    status: int,
    headers: Headers,
    body: bytes,
    now: datetime,
    *,
    key_is_proven: bool = False,
) -> Outcome:
    """What a push service answered. Only 404 and 410 (RFC 8030, section 7.3) end a subscription.

    401 and 403 mean either that our VAPID key or token is bad, or that this subscription was made
    for another key, which anyone can bring about with his own browser. The services do not tell
    the two apart, so `key_is_proven` does: whether the same service took our key just now. Then
    this push is refused and all others go on; otherwise the application's pushes wait.
    """
    reason = _reason(status, body)
    if status in (401, 403):
        verdict = Verdict.REJECTED if key_is_proven else Verdict.CREDENTIALS
        return Outcome(verdict, reason)
    known = _STATUSES.get(status)
    outcome = Outcome(known, reason) if known else outcomes.of_status(status, reason)
    if outcome.verdict is Verdict.ACCEPTED:
        location = outcomes.identifier(headers.get("location", ""))
        return Outcome(Verdict.ACCEPTED, "", gateway_id=location)
    return outcomes.with_retry_after(outcome, headers, now)


def _reason(status: int, body: bytes) -> str:
    """Autopush's number or Apple's word. Nothing else of the answer is kept: the address it came
    from was chosen by a browser, and its text would be shown to operators."""
    content = outcomes.json_object(body)
    errno = content.get("errno")
    if isinstance(errno, int) and 100 <= errno <= 999:
        return f"errno {errno}"
    return outcomes.word(content.get("reason")) or f"HTTP {status}"
