"""What an Android phone makes of an FCM message.

Shape `expo`: the app is built with expo-notifications, which draws *data* messages itself from
the keys `title`, `message`, `body` (the app's data as a JSON object in a string), `channelId`,
`categoryId`, `tag`, `sound`, `badge`, `color`. Shape `plain`: see `_read_plain`. A message with a
`notification` is drawn by the system while the app sleeps: it never gets buttons.
"""

import json
from collections.abc import Mapping
from typing import Any

from channels_app.sandbox.banners import CATEGORIES, Banner, link_of

DEFAULT_TTL_SECONDS = 28 * 24 * 3600
CHANNELS: Mapping[str, str] = {"escalation": "critical", "loud": "loud", "quiet": "quiet"}
"""The notification channels that the app has created, and how loud each is. `escalation` may
pass "do not disturb"; `quiet` has low importance. On Android the channel alone decides."""


def read(message: Mapping[str, Any], *, shape: str, now: float) -> Banner:
    """The banner of a message that FCM took."""
    config = message.get("android", {})
    data: Mapping[str, str] = config.get("data", message.get("data", {}))
    common = {
        "collapse_key": config.get("collapseKey", ""),
        "expires_at": now + _ttl_seconds(config),
    }
    if "notification" in message or "notification" in config:
        return _read_by_system(message, config, data, common)
    if shape == "expo":
        return _read_expo(data, config, common)
    return _read_plain(data, config, common)


def _read_expo(
    data: Mapping[str, str], config: Mapping[str, Any], common: Mapping[str, Any]
) -> Banner:
    app_data, warnings = _json_object(data.get("body"))
    if "title" not in data and "message" not in data:
        warnings = (*warnings, "neither `title` nor `message`: expo-notifications shows nothing")
    return _banner(
        title=data.get("title", ""),
        body=data.get("message", ""),
        channel=data.get("channelId", ""),
        category=data.get("categoryId", ""),
        tag=data.get("tag", ""),
        sound=data.get("sound", "default"),
        badge=data.get("badge"),
        app_data=app_data,
        warnings=warnings,
        config=config,
        common=common,
    )


def _read_plain(
    data: Mapping[str, str], config: Mapping[str, Any], common: Mapping[str, Any]
) -> Banner:
    """A native app that draws data messages itself: `title`, `body`, `channel_id`, `category`,
    `tag`, `sound`, `badge`, `color`; every other key is its data."""
    drawn = ("title", "body", "channel_id", "category", "tag", "sound", "badge", "color")
    return _banner(
        title=data.get("title", ""),
        body=data.get("body", ""),
        channel=data.get("channel_id", ""),
        category=data.get("category", ""),
        tag=data.get("tag", ""),
        sound=data.get("sound", "default"),
        badge=data.get("badge"),
        app_data={key: value for key, value in data.items() if key not in drawn},
        warnings=(),
        config=config,
        common=common,
    )


def _read_by_system(
    message: Mapping[str, Any],
    config: Mapping[str, Any],
    data: Mapping[str, str],
    common: Mapping[str, Any],
) -> Banner:
    notification = {**message.get("notification", {}), **config.get("notification", {})}
    return _banner(
        title=notification.get("title", ""),
        body=notification.get("body", ""),
        channel=notification.get("channelId", ""),
        category="",
        tag=notification.get("tag", ""),
        sound=notification.get("sound", "default"),
        badge=notification.get("notificationCount"),
        app_data=dict(data),
        warnings=("a notification message: no buttons while the app is in the background",),
        config=config,
        common=common,
    )


def _banner(
    *,
    title: str,
    body: str,
    channel: str,
    category: str,
    tag: str,
    sound: str,
    badge: object,
    app_data: Mapping[str, Any],
    warnings: tuple[str, ...],
    config: Mapping[str, Any],
    common: Mapping[str, Any],
) -> Banner:
    level = CHANNELS.get(channel)
    if level is None:
        warnings = (*warnings, f"no channel {channel!r}: it falls into the default channel")
    if level in ("critical", "loud") and config.get("priority", "NORMAL").upper() != "HIGH":
        warnings = (*warnings, "priority normal: a sleeping phone shows it late")
    rings = level != "quiet"
    return Banner(
        title=title,
        body=body,
        level=level or "loud",
        wire_level=channel,
        sound=sound if rings else "",
        rings=rings,
        breaks_silence=level == "critical",
        tag=tag,
        thread=str(app_data.get("thread", "")),
        category=category,
        actions=CATEGORIES.get(category, ()),
        link=link_of(app_data),
        data=app_data,
        badge=int(str(badge)) if str(badge).isdigit() else None,
        warnings=warnings,
        **common,
    )


def _json_object(text: str | None) -> tuple[dict[str, Any], tuple[str, ...]]:
    try:
        content = json.loads(text) if text is not None else None
    except ValueError:
        content = None
    if isinstance(content, dict):
        return content, ()
    return {}, ("`body` is no JSON object: expo-notifications sees no data",)


def _ttl_seconds(config: Mapping[str, Any]) -> float:
    ttl = config.get("ttl")
    return float(ttl[:-1]) if ttl else DEFAULT_TTL_SECONDS
