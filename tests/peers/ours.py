"""The same banners, sent by us."""

import json
from datetime import UTC, datetime
from typing import Any

import trustme
from cryptography.hazmat.primitives.asymmetric import ec

from channels_app.gateways import apns
from channels_app.gateways.apns import ApnsApplication
from channels_app.gateways.pushes import Platform, Push, Target
from channels_app.gateways.transport import Transport
from tests.channels_app.gateways.scripted_server import serving
from tests.peers.running import BANNERS, as_recorded

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def pushes() -> dict[str, Push]:
    """The banners as pushes, by name."""
    return {banner["name"]: _push(**banner["push"]) for banner in json.loads(BANNERS.read_text())}


def _push(*, registration_id: str, critical_allowed: bool, expires_at: str, **fields: Any) -> Push:
    target = Target(Platform.APNS, "ios", registration_id, critical_allowed=critical_allowed)
    return Push(target=target, expires_at=datetime.fromisoformat(expires_at), **fields)


def apns_ids() -> dict[str, str]:
    """The ids that we give the banners, for the others to use as well."""
    return {name: apns.apns_id(push) for name, push in pushes().items()}


def apns_requests(ca_file: str, authority: trustme.CA) -> dict[str, dict[str, Any]]:
    """What we put on the wire for each banner."""
    with serving(authority, lambda talk, seen: talk.answer(seen)) as server:
        app = ApnsApplication(
            url=server.url,
            topic="com.example.pushbridge",
            team_id="DEF123GHIJ",
            key_id="ABC123DEFG",
            key=ec.generate_private_key(ec.SECP256R1()),
            shape="expo",
            entitled=True,
        )
        transport: Transport[str] = Transport(ca_file=ca_file, networks=["127.0.0.0/8"])
        try:
            for name, push in pushes().items():
                transport.submit(apns.request(push, app, NOW), name)
                transport.poll(10.0)
        finally:
            transport.close()
        return {name: as_recorded(seen) for name, seen in zip(pushes(), server.seen, strict=True)}
