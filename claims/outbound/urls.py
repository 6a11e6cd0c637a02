"""Which addresses an operator may give for the platform. Pure.

What a name points at is judged again in the moment of connecting (`gateways.addresses`); this finds
what can be told from the address as it is written, and says it in a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from channels_app.gateways import addresses
from channels_app.gateways.addresses import Network

MAX_CHARACTERS = 500
HTTPS_PORT = 443
UNPRIVILEGED = range(1024, 65_536)
"""Below these stand services that must not mistake a request of ours: mail, SSH, printers."""

_URL = re.compile(
    r"https://(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])"
    r"(?::(?P<port>[0-9]{1,5}))?(?:[/?][A-Za-z0-9._~:/?\[\]@!$&'()*+,;=%-]*)?"
)
_NUMERIC = re.compile(r"[0-9.]+|\[.*\]")


def fault(url: str, *, allowed: Sequence[Network] = ()) -> str | None:
    """What is wrong with `url` as the address of a receiver, as "It …."; None if nothing is.

    Args:
        allowed: networks that the operators of this installation allow although they are private.
    """
    if len(url) > MAX_CHARACTERS:
        return f"It has more than {MAX_CHARACTERS} characters."
    if not url.startswith("https://"):
        return "It must begin with https://."
    if "@" in re.split(r"[/?#]", url[len("https://") :], maxsplit=1)[0]:
        return "It must hold no user name and no password."
    if "#" in url:
        return "It must hold no fragment (#…)."
    match = _URL.fullmatch(url)
    if match is None:
        return "It is no address that we can send to: a host name and a path in plain ASCII."
    port = int(match["port"] or HTTPS_PORT)
    if port != HTTPS_PORT and port not in UNPRIVILEGED:
        return f"Its port must be {HTTPS_PORT}, or {UNPRIVILEGED.start} or above."
    return _host_fault(match["host"], allowed)


def _host_fault(host: str, allowed: Sequence[Network]) -> str | None:
    if _NUMERIC.fullmatch(host):
        if not addresses.may_connect(host.strip("[]"), allowed):
            return "It is no public address."
    elif not allowed and ("." not in host or host.lower().endswith((".localhost", ".local"))):
        return "Its host is a name of a local network."
    return None
