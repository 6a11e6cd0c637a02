"""The recordings are what the installed JavaScript libraries do."""

import json

from tests.peers import ours, running


def test_node_apn_sends_what_is_recorded() -> None:
    assert running.apns_requests(ours.apns_ids()) == json.loads(running.RECORDED_APNS.read_text())


def test_the_webhook_libraries_sign_what_is_recorded() -> None:
    assert running.webhook_signatures() == json.loads(running.RECORDED_WEBHOOKS.read_text())
