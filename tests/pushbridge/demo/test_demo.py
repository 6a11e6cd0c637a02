"""The whole way, for every example: a signed webhook over HTTP to a banner on a phone."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from channels_app.models import Delivery, Event
from channels_app.sandbox.process import SandboxProcess

pytestmark = pytest.mark.django_db(transaction=True)


def play(patience: float = 30) -> tuple[int, str]:
    """The exit code and what was printed."""
    printed = StringIO()
    try:
        call_command("demo", pace=0, patience=patience, stdout=printed)
    except SystemExit as end:
        return int(str(end.code)), printed.getvalue()
    return 0, printed.getvalue()


def test_every_banner_of_the_story_reaches_its_phones_and_no_other(
    system: SandboxProcess,
) -> None:
    refused_before = system.call("GET", "/api/refusals")

    code, printed = play()

    assert code == 0, printed
    assert "Everything came as it had to." in printed
    assert not Delivery.objects.exclude(state=Delivery.State.ACCEPTED).exists()
    assert not Event.objects.filter(state=Event.State.RECEIVED).exists()
    assert system.call("GET", "/api/refusals") == refused_before


def test_the_story_may_be_played_again(system: SandboxProcess) -> None:
    play()

    code, printed = play()

    assert code == 0, printed


def test_a_phone_that_shows_nothing_is_named_and_makes_the_demo_fail(
    system: SandboxProcess,
) -> None:
    phone = system.phone("fcm", owner="Dave", name="Dave's Pixel")
    system.call("DELETE", f"/api/phones/{phone['id']}")

    code, printed = play(patience=2)

    assert code == 1
    assert "Dave's Pixel: no banner came (failed after 1 attempts: UNREGISTERED)" in printed


def test_a_system_that_does_not_run_is_said_with_how_to_start_it(settings: Settings) -> None:
    settings.SANDBOX_URL = settings.PUBLIC_URL = "http://127.0.0.1:9"

    with pytest.raises(CommandError, match=r"127\.0\.0\.1:9.*\n.*python3 manage\.py up"):
        call_command("demo")


def test_a_system_without_a_sandbox_has_no_demo(settings: Settings) -> None:
    settings.SANDBOX_URL = ""

    with pytest.raises(CommandError, match="sends to real ones"):
        call_command("demo")


def test_organizations_that_are_not_there_are_said_with_how_to_make_them(
    system: SandboxProcess,
) -> None:
    Event.objects.all().delete()
    call_command("flush", interactive=False)

    with pytest.raises(CommandError, match=r"Acme.*python3 manage\.py seed_demo"):
        call_command("demo")
