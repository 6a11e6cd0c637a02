from __future__ import annotations

import io
import json
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from channels_app.models import Event
from tests.factories import ConnectionFactory
from tests.pushbridge.webhooks.signing import human_requested

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
ESCALATION = str(EXAMPLES / "01-human-requested.json")


def send_event(*arguments: str) -> str:
    out = StringIO()
    call_command("send_event", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def door(live_server: LiveServer, settings: Settings) -> LiveServer:
    settings.PUBLIC_URL = live_server.url
    return live_server


@pytest.mark.django_db(transaction=True)
def test_an_example_is_signed_posted_and_stored(door: LiveServer) -> None:
    ConnectionFactory.create()

    out = send_event(ESCALATION, "--id", "msg_demo")

    event = Event.objects.get()
    assert event.payload == json.loads(Path(ESCALATION).read_text())["event"]
    assert out == f'msg_demo: 202 Accepted  {{"id": {event.pk}}}\n'
    assert send_event(ESCALATION, "--id", "msg_demo").startswith("msg_demo: 200 OK")


@pytest.mark.django_db(transaction=True)
def test_a_bare_event_comes_from_standard_input(
    door: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ConnectionFactory.create()
    event: dict[str, Any] = {**human_requested(), "timestamp": "2020-01-01T00:00:00Z"}
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(event)))

    send_event("-", "--fresh-timestamp")

    stored = Event.objects.get()
    assert stored.occurred_at.year > 2020
    assert stored.payload["data"] == event["data"]


@pytest.mark.django_db(transaction=True)
def test_a_connection_is_chosen_by_name_or_id(door: LiveServer) -> None:
    ConnectionFactory.create()
    chosen = ConnectionFactory.create(name="Staging")

    send_event(ESCALATION, "--connection", "Staging")
    send_event(ESCALATION, "--connection", str(chosen.pk))

    assert {event.connection for event in Event.objects.all()} == {chosen}


@pytest.mark.django_db(transaction=True)
def test_a_refusal_is_an_error_with_its_problem(door: LiveServer, tmp_path: Path) -> None:
    ConnectionFactory.create()
    bad = tmp_path / "bad.json"
    bad.write_text(json.dumps(human_requested(bot=None)))

    with pytest.raises(CommandError, match="422.*/data/bot"):
        send_event(str(bad))


@pytest.mark.django_db
def test_nobody_there_is_said_plainly() -> None:
    ConnectionFactory.create()

    with pytest.raises(CommandError, match="does not answer"):
        send_event(ESCALATION, "--url", "http://127.0.0.1:1/")


@pytest.mark.django_db
@pytest.mark.parametrize("name", [None, "Nobody's"])
def test_without_a_connection_nothing_is_sent(name: str | None) -> None:
    with pytest.raises(CommandError, match="connection"):
        send_event(ESCALATION, *(["--connection", name] if name else []))


@pytest.mark.django_db
def test_an_ambiguous_name_is_refused() -> None:
    ConnectionFactory.create(name="Main")
    ConnectionFactory.create(name="Main")

    with pytest.raises(CommandError, match="Several"):
        send_event(ESCALATION, "--connection", "Main")


@pytest.mark.parametrize(("content", "message"), [("{", "not JSON"), ("[1]", "no event")])
def test_a_file_without_an_event_is_refused(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "event.json"
    file.write_text(content)

    with pytest.raises(CommandError, match=message):
        send_event(str(file))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"gone\.json: No such file"):
        send_event(str(tmp_path / "gone.json"))
