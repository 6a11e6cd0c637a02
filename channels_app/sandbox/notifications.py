"""What a service worker shows of a decrypted Web Push message.

The message is JSON: `title` and the options of `ServiceWorkerRegistration.showNotification()`
(Notifications API standard), with the app's ids and its `link` in `data`.
"""

from collections.abc import Mapping
from typing import Any

from channels_app.sandbox.banners import Banner, link_of

OPTIONS: Mapping[str, type] = {
    "title": str,
    "body": str,
    "tag": str,
    "renotify": bool,
    "requireInteraction": bool,
    "silent": bool,
    "actions": list,
    "data": dict,
    "lang": str,
    "dir": str,
    "badge": str,
    "icon": str,
    "timestamp": int,
}


def read(payload: Any, *, urgency: str, topic: str, expires_at: float) -> Banner:
    """The notification of a payload, and in `warnings` what showNotification() would refuse."""
    if not isinstance(payload, dict):
        return Banner(
            collapse_key=topic,
            wire_level=urgency,
            expires_at=expires_at,
            warnings=("the payload is no JSON object: the service worker shows nothing",),
        )
    options: dict[str, Any] = {
        name: value
        for name, value in payload.items()
        if name in OPTIONS and isinstance(value, OPTIONS[name])
    }
    silent = options.get("silent", False)
    stays = options.get("requireInteraction", False)
    data = options.get("data", {})
    return Banner(
        title=options.get("title", ""),
        body=options.get("body", ""),
        level=_level(urgency, silent=silent, stays=stays),
        wire_level=urgency,
        sound="" if silent else "default",
        rings=not silent,
        rings_when_replacing=options.get("renotify", False),
        stays=stays,
        tag=options.get("tag", ""),
        collapse_key=topic,
        thread=str(data.get("thread", "")),
        category=str(data.get("category", "")),
        actions=_actions(options.get("actions", [])),
        link=link_of(data),
        data=data,
        lang=options.get("lang", ""),
        direction=options.get("dir", "auto"),
        expires_at=expires_at,
        warnings=tuple(_warnings(payload, options)),
    )


def _level(urgency: str, *, silent: bool, stays: bool) -> str:
    if silent or urgency in ("very-low", "low"):
        return "quiet"
    return "critical" if stays and urgency == "high" else "loud"


def _actions(actions: list[Any]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (str(action["action"]), str(action["title"]))
        for action in actions
        if isinstance(action, dict) and {"action", "title"} <= action.keys()
    )


def _warnings(payload: Mapping[str, Any], options: Mapping[str, Any]) -> list[str]:
    warnings = [f"`{name}` is ignored" for name in payload if name not in options]
    if "title" not in options:
        warnings.append("no `title`: showNotification() has nothing to show")
    if options.get("renotify") and not options.get("tag"):
        warnings.append("`renotify` without a `tag` is a TypeError")
    if len(_actions(options.get("actions", []))) != len(options.get("actions", [])):
        warnings.append("an action needs `action` and `title`")
    return warnings
