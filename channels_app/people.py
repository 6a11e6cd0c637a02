"""People: what they say of themselves, in all organizations alike."""

from __future__ import annotations

from channels_app.models import User


def localize(*, user: User, locale: str | None = None, time_zone: str | None = None) -> None:
    """Change the language of a person's banners, and where their quiet hours are. None: as it is.

    Args:
        locale: a language of `settings.LANGUAGES` (`languages.match`).
        time_zone: a name of `quiet_hours.time_zones()`.
    """
    changes = {"locale": locale, "time_zone": time_zone}
    changes = {name: value for name, value in changes.items() if value is not None}
    if changes:
        User.objects.filter(pk=user.pk).update(**changes)
        for name, value in changes.items():
            setattr(user, name, value)
