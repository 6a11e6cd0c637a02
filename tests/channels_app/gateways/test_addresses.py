"""Which addresses may be connected to."""

import pytest

from channels_app.gateways.addresses import may_connect, networks


@pytest.mark.parametrize(
    "address",
    ["17.188.143.1", "142.250.74.10", "2a00:1450:4001:813::200a", "64:ff9b::8efa:4a0a"],
)
def test_the_public_internet_may_be_connected_to(address: str) -> None:
    assert may_connect(address, ())


@pytest.mark.parametrize(
    ("address", "what"),
    [
        ("127.0.0.1", "loopback"),
        ("0.0.0.0", "this host"),
        ("10.1.2.3", "private"),
        ("172.16.0.1", "private"),
        ("192.168.0.1", "private"),
        ("169.254.169.254", "link-local: cloud metadata"),
        ("100.64.0.1", "carrier-grade NAT"),
        ("100.100.100.200", "Alibaba's metadata"),
        ("168.63.129.16", "Azure's platform"),
        ("192.0.0.192", "Oracle's metadata"),
        ("192.88.99.1", "6to4 relay"),
        ("198.18.0.1", "benchmarking"),
        ("203.0.113.9", "documentation"),
        ("224.0.0.251", "multicast"),
        ("239.1.1.1", "multicast"),
        ("240.0.0.1", "reserved"),
        ("255.255.255.255", "broadcast"),
        ("::1", "loopback"),
        ("::", "unspecified"),
        ("::ffff:8.8.8.8", "IPv4-mapped"),
        ("::ffff:127.0.0.1", "IPv4-mapped loopback"),
        ("::127.0.0.1", "IPv4-compatible"),
        ("fe80::1", "link-local"),
        ("fe80::1%eth0", "link-local with a zone"),
        ("2a00:1450::1%eth0", "a zone on a global address"),
        ("fc00::1", "unique local"),
        ("fd00:ec2::254", "Amazon's metadata"),
        ("fec0::1", "site-local"),
        ("ff02::1", "multicast"),
        ("100::1", "discard"),
        ("64:ff9b::7f00:1", "NAT64 of loopback"),
        ("64:ff9b::a9fe:a9fe", "NAT64 of cloud metadata"),
        ("64:ff9b:1::1", "local NAT64"),
        ("2001::1", "Teredo"),
        ("2001:db8::1", "documentation"),
        ("2002:7f00:1::", "6to4 of loopback"),
        ("3fff::1", "documentation"),
        ("5f00::1", "segment routing"),
        ("localhost", "no address at all"),
        ("0x7f000001", "no address at all"),
        ("127.1", "no address at all"),
        ("", "no address at all"),
    ],
)
def test_anything_else_may_not(address: str, what: str) -> None:
    assert not may_connect(address, ()), what


def test_the_operator_may_allow_a_network() -> None:
    allowed = networks(["127.0.0.0/8", "fd00::/8"])

    assert may_connect("127.0.0.1", allowed)
    assert may_connect("fd00::5", allowed)
    assert not may_connect("10.0.0.1", allowed)


def test_what_is_no_network_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError):
        networks(["127.0.0.0/33"])
