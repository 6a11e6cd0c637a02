"""`manage.py demo`: plays the reference page's story on the running system."""

from __future__ import annotations

import os
import sys
import time
from argparse import ArgumentParser
from typing import Any

import requests
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError
from django.urls import reverse

from channels_app.admin.words import OUTCOMES
from pushbridge.demo import stage
from pushbridge.demo.chatbot_platform import ChatbotPlatform, DoorClosed
from pushbridge.demo.programme import Programme
from pushbridge.demo.sandbox import Sandbox, SandboxGone
from pushbridge.demo.stage import NotSeeded, Stage
from pushbridge.demo.story import read_examples, story
from pushbridge.demo.verdicts import faults

START = "Start the system first, in another terminal: python3 manage.py up"
PACE_SECONDS = 0.6
# Far more than a banner takes.
PATIENCE_SECONDS = 10.0
# A banner too many comes about as fast as the right ones do.
LINGER_SECONDS = 1.5


class Command(BaseCommand):
    help = (
        "Play the story of docs/examples on the running system, with signed webhooks, and print"
        " each banner as it comes to a phone. Exit code 1 if one is missing, wrong or too much."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        for option, seconds, meaning in (
            ("--pace", PACE_SECONDS, "pause after each scene"),
            ("--patience", PATIENCE_SECONDS, "how long to wait for a banner"),
        ):
            parser.add_argument(
                option,
                type=float,
                default=seconds,
                metavar="SECONDS",
                help=f"{meaning} ({seconds:g})",
            )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.SANDBOX_URL:
            raise CommandError(
                "The demo plays on the sandbox's phones, and this system sends to real ones"
                " (SANDBOX_URL is not set)."
            )
        programme = Programme(
            say=self.stdout.write,
            coloured=bool(options["force_color"]) or self._on_a_terminal(options),
            sentences={name: word.sentence for name, word in OUTCOMES.items()},
        )
        try:
            _require_ready()
            performance = _stage(patience=options["patience"])
            self._perform(performance, programme, pace=options["pace"])
        except NotSeeded as error:
            raise CommandError(
                f"The organization {error} is not there. Make it: python3 manage.py seed_demo"
            ) from error
        except (OperationalError, SandboxGone, DoorClosed) as error:
            raise CommandError(f"{str(error).strip()}\n{START}") from error
        programme.balance(performance.played, _links(performance))
        if any(faults(played) for played in performance.played):
            sys.exit(1)

    def _on_a_terminal(self, options: dict[str, Any]) -> bool:
        """https://no-color.org: any value of NO_COLOR but an empty one."""
        return self.stdout.isatty() and not (options["no_color"] or os.environ.get("NO_COLOR"))

    def _perform(self, performance: Stage, programme: Programme, *, pace: float) -> None:
        for chapter in story(read_examples(settings.BASE_DIR / "docs" / "examples")):
            programme.chapter(chapter.title)
            for scene in chapter.scenes:
                played = performance.play(scene)
                programme.opening(played)
                for arrival in performance.watch(played):
                    programme.arrival(played, arrival)
                programme.closing(played)
                time.sleep(pace)
        performance.linger(LINGER_SECONDS)


def _require_ready() -> None:
    """Raises CommandError that says what is not there, and how to start it."""
    address = f"{settings.PUBLIC_URL}/readyz"
    try:
        answer = requests.get(address, timeout=10)
        found = answer.json()["parts"]
    except (requests.RequestException, ValueError, KeyError, TypeError) as error:
        raise CommandError(f"Nothing of ours answers at {settings.PUBLIC_URL}.\n{START}") from error
    wrong = [f"  {name}: {state}" for name, state in found.items() if state != "ok"]
    if wrong:
        raise CommandError("\n".join([f"The system is not ready ({address}):", *wrong]))


def _stage(*, patience: float) -> Stage:
    return Stage(
        sandbox=Sandbox(settings.SANDBOX_URL),
        platform=ChatbotPlatform(settings.PUBLIC_URL),
        doors=stage.doors(),
        tag=format(int(time.time()), "x"),
        patience=patience,
    )


def _links(performance: Stage) -> dict[str, str]:
    """Where to look at what was played."""
    events = f"{settings.PUBLIC_URL}{reverse('admin:chatbot_event_changelist')}"
    first = performance.played[0].event_id
    return {
        "The phones": f"{settings.SANDBOX_URL}/",
        "The events": events,
        "The first of them": f"{events}{first}/change/",
        "Passwords": str(settings.VAR_DIR / "demo-logins"),
    }
