"""Which network addresses a push may be sent to.

Web Push endpoints come from browsers, that is: from anyone. Their host names are checked against a
list, but a name can be made to point anywhere, so the address itself is judged in the moment of
connecting. `ipaddress`'s `is_global` alone is not enough: it passes multicast, addresses that wrap
another one (NAT64), and what cloud providers serve their machines' credentials from.
"""

import ipaddress
from collections.abc import Sequence

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# Not covered, or not in every Python release, by `is_global`.
_REFUSED_IPV4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "100.64.0.0/10",  # carrier-grade NAT (RFC 6598); clouds keep internal services there
        "168.63.129.16/32",  # Azure's platform service: a public number, an internal host
        "192.0.0.0/24",  # IETF protocol assignments (RFC 6890), Oracle Cloud's metadata among them
        "192.88.99.0/24",  # 6to4 relay anycast, deprecated (RFC 7526)
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and the broadcast address
    )
)
# RFC 4291, section 2.4, and IANA's registry: of all of IPv6 only this much is given out.
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_REFUSED_IPV6 = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarking (RFC 2928)
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4 wraps an IPv4 address
        "3fff::/20",  # documentation (RFC 9637)
    )
)
# An IPv6-only machine reaches IPv4 hosts through this prefix (RFC 6052), so what it wraps decides.
# The locally assigned 64:ff9b:1::/48 (RFC 8215) is outside 2000::/3 and so refused.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Parse CIDR networks. Raises ValueError for what is none."""
    return tuple(ipaddress.ip_network(text) for text in texts)


def may_connect(text: str, allowed: Sequence[Network]) -> bool:
    """Whether `text`, a numeric address, is public, or lies in a network the operator allowed."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return any(address in network for network in allowed) or is_public(address)


def is_public(address: IPAddress) -> bool:
    """Whether `address` belongs to one host of the public internet."""
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_global and not any(address in network for network in _REFUSED_IPV4)
    if address.scope_id is not None:
        return False
    if address in _NAT64:
        return is_public(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
    # IPv4-mapped addresses (::ffff:0:0/96) fall outside 2000::/3.
    return (
        address in _GLOBAL_UNICAST
        and address.is_global
        and not any(address in network for network in _REFUSED_IPV6)
    )
