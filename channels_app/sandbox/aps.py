"""The payload of an APNs notification: its checks, and what an iPhone makes of it.

Source: Apple, "Generating a remote notification", tables 1 to 3.
"""

from collections.abc import Mapping
from typing import Any

from channels_app.sandbox.apns_reasons import Rejected
from channels_app.sandbox.applications import AppleApp
from channels_app.sandbox.banners import CATEGORIES, Banner, link_of

BACKGROUND_PRIORITIES = (1, 5)
LEVELS: Mapping[str, str] = {
    "critical": "critical",
    "time-sensitive": "loud",
    "active": "loud",
    "passive": "quiet",
}
ALERT_STRINGS = frozenset(
    {
        "title",
        "subtitle",
        "body",
        "launch-image",
        "title-loc-key",
        "subtitle-loc-key",
        "loc-key",
    }
)
ALERT_LISTS = frozenset({"title-loc-args", "subtitle-loc-args", "loc-args"})
APS_STRINGS = frozenset({"thread-id", "category", "target-content-id", "filter-criteria"})
APS_FLAGS = frozenset({"content-available", "mutable-content"})
APS_OTHERS = frozenset({"alert", "badge", "sound", "interruption-level", "relevance-score"})


def check(payload: Mapping[str, Any], *, push_type: str, app: AppleApp, priority: int) -> None:
    """Raise Rejected where the payload's shape is wrong, or belies the push type."""
    aps = payload.get("aps")
    if not isinstance(aps, dict):
        raise Rejected("BadPayload", "aps is a dictionary, and required")
    for key, value in aps.items():
        _check_entry(key, value)
    _check_criticality(aps, app)
    if push_type == "background":
        _check_background(aps, priority)
    elif not _shows(aps):
        raise Rejected("InvalidPushType", "an alert push has an alert, a sound or a badge")


def read(payload: Mapping[str, Any], *, app: AppleApp, headers: Mapping[str, str]) -> Banner:
    """The banner of a payload that passed `check`."""
    aps = payload["aps"]
    alert = aps.get("alert", {})
    texts = alert if isinstance(alert, dict) else {"body": alert}
    data, warnings = _data(payload, app)
    wire_level = aps.get("interruption-level", "active")
    sound = _sound_name(aps.get("sound", ""))
    category = aps.get("category", "")
    collapse_id = headers.get("apns-collapse-id", "")
    expiration = headers.get("apns-expiration")
    return Banner(
        title=texts.get("title", ""),
        subtitle=texts.get("subtitle", ""),
        body=texts.get("body", ""),
        level=LEVELS[wire_level],
        wire_level=wire_level,
        sound=sound,
        rings=bool(sound) and wire_level != "passive",
        breaks_silence=wire_level == "critical",
        tag=collapse_id,
        collapse_key=collapse_id,
        thread=aps.get("thread-id", ""),
        category=category,
        actions=CATEGORIES.get(category, ()),
        link=link_of(data),
        data=data,
        badge=aps.get("badge"),
        # 0 means: try once, do not store. The phone is right here, so it arrives.
        expires_at=float(expiration) if expiration and expiration != "0" else None,
        warnings=warnings,
    )


def _check_entry(key: str, value: object) -> None:
    if key in APS_STRINGS:
        _expect(isinstance(value, str), f"aps.{key} is a string")
    elif key in APS_FLAGS:
        _expect(value is not True and value == 1, f"aps.{key} is 1 or absent")
    elif key == "alert":
        _check_alert(value)
    elif key == "badge":
        _expect(_is_integer(value) and value >= 0, "aps.badge is a number from 0")  # type: ignore[operator]
    elif key == "sound":
        _check_sound(value)
    elif key == "interruption-level":
        _expect(isinstance(value, str) and value in LEVELS, f"{value!r} is no interruption-level")
    elif key == "relevance-score":
        _expect(_is_number(value) and 0 <= value <= 1, "aps.relevance-score is 0 to 1")  # type: ignore[operator]
    else:
        raise Rejected("BadPayload", f"aps.{key} is no key of Apple's")


def _check_alert(alert: object) -> None:
    if isinstance(alert, str):
        return
    _expect(isinstance(alert, dict), "aps.alert is a string or a dictionary")
    assert isinstance(alert, dict)
    for key, value in alert.items():
        if key in ALERT_STRINGS:
            _expect(isinstance(value, str), f"aps.alert.{key} is a string")
        elif key in ALERT_LISTS:
            texts = isinstance(value, list) and all(isinstance(item, str) for item in value)
            _expect(texts, f"aps.alert.{key} is a list of strings")
        else:
            raise Rejected("BadPayload", f"aps.alert.{key} is no key of Apple's")


def _check_sound(sound: object) -> None:
    if isinstance(sound, str):
        return
    _expect(isinstance(sound, dict), "aps.sound is a string or a dictionary")
    assert isinstance(sound, dict)
    _expect(set(sound) <= {"critical", "name", "volume"}, "aps.sound: critical, name, volume")
    critical, volume = sound.get("critical", 0), sound.get("volume", 1.0)
    _expect(_is_integer(critical) and critical in (0, 1), "aps.sound.critical is 0 or 1")
    _expect(isinstance(sound.get("name"), str), "aps.sound.name is a string")
    _expect(_is_number(volume) and 0 <= volume <= 1, "aps.sound.volume is 0 to 1")


def _check_criticality(aps: Mapping[str, Any], app: AppleApp) -> None:
    """A critical alert needs Apple's entitlement, the level and the sound."""
    sound = aps.get("sound")
    critical_sound = isinstance(sound, dict) and sound.get("critical") == 1
    critical_level = aps.get("interruption-level") == "critical"
    if (critical_sound or critical_level) and not app.critical_alerts:
        raise Rejected("BadPayload", "the app has no critical alerts entitlement")
    if critical_level and not critical_sound:
        raise Rejected("BadPayload", "a critical alert carries a sound with critical: 1")


def _check_background(aps: Mapping[str, Any], priority: int) -> None:
    if aps.get("content-available") != 1 or _shows(aps):
        raise Rejected("InvalidPushType", "a background push has content-available and no alert")
    if priority not in BACKGROUND_PRIORITIES:
        raise Rejected("BadPriority", "a background push has priority 5")


def _shows(aps: Mapping[str, Any]) -> bool:
    return any(key in aps for key in ("alert", "sound", "badge"))


def _data(payload: Mapping[str, Any], app: AppleApp) -> tuple[dict[str, Any], tuple[str, ...]]:
    """What the app's own code sees, by the application's shape."""
    if app.shape == "plain":
        return {key: value for key, value in payload.items() if key != "aps"}, ()
    body = payload.get("body")
    if isinstance(body, dict):
        return body, ()
    return {}, ("no dictionary `body` at the top level: expo-notifications sees no data",)


def _sound_name(sound: str | Mapping[str, Any]) -> str:
    return sound if isinstance(sound, str) else str(sound.get("name", ""))


def _expect(condition: bool, detail: str) -> None:
    if not condition:
        raise Rejected("BadPayload", detail)


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
