"""FCM HTTP v1: a push as a request, and an answer as an outcome.

Sources: Google, "projects.messages.send" and "ErrorCode" (reference of the FCM REST API),
"FCM error codes", "About FCM messages" (size), "Non-collapsible and collapsible messages".
"""

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from channels_app.gateways import outcomes, sizes
from channels_app.gateways.banner_actions import app_data
from channels_app.gateways.exchange import Headers, Request
from channels_app.gateways.outcomes import Outcome, Unsendable
from channels_app.gateways.pushes import Push, Verdict

URL = "https://fcm.googleapis.com"
MAX_TTL = timedelta(weeks=4)
QUOTA_WAIT_SECONDS = 60.0

# "Invalid data key" of the error codes; `notification` is what Android's library keeps for itself.
_RESERVED_KEYS = frozenset({"from", "message_type", "collapse_key", "notification"})
_RESERVED_PREFIXES = ("google", "gcm")

_PRIORITIES = MappingProxyType({"critical": "HIGH", "loud": "HIGH", "quiet": "NORMAL"})
_CHANNELS = MappingProxyType({"critical": "escalation", "loud": "loud", "quiet": "quiet"})
"""Level -> notification channel. On Android 8 and later the channel alone decides how loud a
banner is; the app creates these three, `quiet` with low importance."""
_COLORS = MappingProxyType({"critical": "#D32F2F", "loud": "#F9A825", "quiet": "#607D8B"})


def request(push: Push, *, url: str, access_token: str, shape: str, now: datetime) -> Request:
    """`push` as an HTTP request to `url`, a project's `messages:send`."""
    headers = (
        f"authorization: Bearer {access_token}",
        "content-type: application/json; charset=UTF-8",
        "accept:",
        "user-agent:",
    )
    return Request(url, headers, sizes.encode({"message": message(push, shape=shape, now=now)}))


def message(push: Push, *, shape: str, now: datetime) -> dict[str, Any]:
    """The Message of the REST reference: data only, so that the app itself draws the banner.

    A message with a `notification` is drawn by the system while the app sleeps, without buttons.

    No `collapse_key`: FCM keeps four of them per device and drops the rest, so that a phone out
    of reach would lose its fifth conversation. The identity of a banner is the `tag`, which the
    app gives to Android: the same tag replaces. FCM's own queue stays uncollapsed (100 messages).
    """
    if push.level not in _PRIORITIES:
        raise Unsendable("BadLevel", push.level)
    ttl = min(max(push.expires_at - now, timedelta()), MAX_TTL)
    return {
        "token": push.target.registration_id,
        "data": _fitting_data(push, shape),
        "android": {
            "priority": _PRIORITIES[push.level],
            "ttl": f"{math.floor(ttl.total_seconds())}s",
        },
    }


def _fitting_data(push: Push, shape: str) -> dict[str, str]:
    """The data with its text cut so that its JSON has at most 4,096 bytes.

    Google counts keys and values, without the JSON around them: this errs on the safe side.
    """
    build = _expo_data if shape == "expo" else _plain_data
    fitting: dict[str, str] = {}

    def encoded(title: str, body: str) -> bytes:
        nonlocal fitting
        candidate = build(push, title, body)
        text = sizes.encode(candidate)
        if len(text) <= sizes.MAX_PAYLOAD_BYTES:
            fitting = candidate
        return text

    sizes.fit(push.title, push.body, encoded, sizes.MAX_PAYLOAD_BYTES)
    return fitting


def _expo_data(push: Push, title: str, body: str) -> dict[str, str]:
    """What expo-notifications reads of a data message; `message` is the text, `body` the data."""
    return {
        "title": title,
        "message": body,
        "body": sizes.encode(app_data(push)).decode(),
        "channelId": _CHANNELS[push.level],
        **({"categoryId": push.category} if push.category else {}),
        **_common(push),
    }


def _plain_data(push: Push, title: str, body: str) -> dict[str, str]:
    """For an app that draws data messages itself: every key on its own level."""
    drawn = {
        "title": title,
        "body": body,
        "channel_id": _CHANNELS[push.level],
        **({"category": push.category} if push.category else {}),
        **_common(push),
    }
    data = app_data(push)
    for key in data:
        if key in drawn or key in _RESERVED_KEYS or key.startswith(_RESERVED_PREFIXES):
            raise Unsendable("BadData", f"the key {key} is taken")
    return {**drawn, **data}


def _common(push: Push) -> dict[str, str]:
    return {
        "tag": push.collapse_key,
        # Without the key expo-notifications plays its default sound.
        "sound": "" if push.level == "quiet" else "default",
        "color": _COLORS[push.level],
        **({"badge": str(push.badge)} if push.badge is not None else {}),
    }


# Google, "ErrorCode": the `errorCode` of a google.firebase.fcm.v1.FcmError in `details`.
_ERROR_CODES: Mapping[str, Verdict] = MappingProxyType(
    {
        "UNREGISTERED": Verdict.DEAD,
        # Wrong in our message or in this one token: a message that is too big, a token cut short,
        # one of another project, or of an iPhone whose APNs key Firebase was not given. All of
        # it leaves the device and every other push alone.
        "INVALID_ARGUMENT": Verdict.REJECTED,
        "SENDER_ID_MISMATCH": Verdict.REJECTED,
        "THIRD_PARTY_AUTH_ERROR": Verdict.REJECTED,
        "QUOTA_EXCEEDED": Verdict.RETRY,
        "UNAVAILABLE": Verdict.RETRY,
        "INTERNAL": Verdict.RETRY,
    }
)
# Where no FcmError is given: google.rpc.Code, by HTTP status.
_STATUSES: Mapping[int, Verdict] = MappingProxyType(
    {
        200: Verdict.ACCEPTED,
        400: Verdict.REJECTED,
        401: Verdict.CREDENTIALS,
        403: Verdict.CREDENTIALS,
        # Not UNREGISTERED, so it proves nothing about the device.
        404: Verdict.REJECTED,
    }
)


def classify(status: int, headers: Headers, body: bytes, now: datetime) -> Outcome:
    """What FCM answered. An FcmError decides; without one, the HTTP status."""
    content = outcomes.json_object(body)
    if status == 200:
        return Outcome(Verdict.ACCEPTED, "", gateway_id=outcomes.identifier(content.get("name")))
    error = content.get("error")
    error = error if isinstance(error, dict) else {}
    code = _error_code(error)
    reason = code or outcomes.word(error.get("status")) or f"HTTP {status}"
    verdict = _ERROR_CODES.get(code) or _STATUSES.get(status)
    outcome = Outcome(verdict, reason) if verdict else outcomes.of_status(status, reason)
    outcome = outcomes.with_retry_after(outcome, headers, now)
    if status == 429 and outcome.retry_after is None:
        # "If the header is not set, the default is 60 seconds" (FCM, "Scale your sends").
        return Outcome(outcome.verdict, reason, retry_after=QUOTA_WAIT_SECONDS)
    return outcome


def _error_code(error: Mapping[str, Any]) -> str:
    details = error.get("details")
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, dict) and str(detail.get("@type", "")).endswith(".FcmError"):
            return outcomes.word(detail.get("errorCode"))
    return ""
