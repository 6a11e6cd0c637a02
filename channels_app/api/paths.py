"""What a segment of an address may be, beside what Django knows."""

from __future__ import annotations

from django.urls import register_converter
from django.urls.converters import StringConverter, UUIDConverter


class ExternalIdConverter(StringConverter):
    """The platform's own id of a thing, `<external:id>`: any characters, slashes too, but NUL.

    Callers quote all that is special (`a/b` is `a%2Fb`), and web servers unquote it before anybody
    can look: what follows the id decides where it ends. The longer address must therefore stand
    before the shorter one, and where an id itself ends like a longer address, that one is meant.
    """

    regex = r"[^\x00]{1,128}"


class InstallationConverter(UUIDConverter):
    """An installation's id, `<installation:id>`: iOS writes UUIDs in upper case."""

    regex = r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}"


register_converter(ExternalIdConverter, "external")
register_converter(InstallationConverter, "installation")
