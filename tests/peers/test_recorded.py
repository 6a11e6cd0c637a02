"""We send what an independent library sends; its requests are recorded in `recorded`."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trustme
from standardwebhooks import Webhook

from tests.peers import ours, running


@pytest.mark.parametrize("name", list(ours.pushes()))
def test_an_apns_request_equals_node_apns_header_for_header_and_key_for_key(
    name: str, tmp_path: Path
) -> None:
    authority = trustme.CA()
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))

    sent = ours.apns_requests(str(ca_file), authority)[name]

    assert sent == json.loads(running.RECORDED_APNS.read_text())[name]


@pytest.mark.parametrize("signed", json.loads(running.RECORDED_WEBHOOKS.read_text()))
def test_three_implementations_agree_on_every_recorded_signature(signed: dict[str, Any]) -> None:
    at = datetime.fromtimestamp(signed["timestamp"], UTC)

    python = Webhook(signed["secret"]).sign(signed["id"], at, signed["body"])

    assert signed["standardwebhooks"] == signed["svix"] == python
