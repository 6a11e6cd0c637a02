"""What docs/outbound.md gives to the platform's engineers does what it says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from channels_app.connections import new_secret
from claims.admin.outbound_words import REASONS
from claims.outbound import requests
from tests.pushbridge.server import PROJECT

DOCUMENT = (PROJECT / "docs" / "outbound.md").read_text()
BODY = '{"type": "conversation.claimed", "name": "Jürgen 🆘"}'
INTERPRETERS = {"python": [sys.executable, "-c"], "sh": ["sh", "-c"], "javascript": ["node", "-e"]}
LANGUAGES = [name for name, (command, _) in INTERPRETERS.items() if shutil.which(command)]


def program(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", DOCUMENT.partition("## Verify it")[2], re.DOTALL)
    assert found, language
    return found[1]


def accepts(language: str, *, secret: str, body: str = BODY, age: float = 0.0) -> bool:
    """Whether the program takes what we signed with this secret, "" for another than it has."""
    request = requests.build(
        url="https://platform.example/",
        webhook_id="msg_1",
        body=BODY,
        secrets=[new_secret(), secret or new_secret()],
        now=datetime.now(UTC) - timedelta(seconds=age),
    )
    headers = dict(line.split(": ", 1) for line in request.headers)
    environment = {
        "PATH": os.environ["PATH"],
        "WEBHOOK_SECRET": secret or new_secret(),
        "WEBHOOK_ID": headers["webhook-id"],
        "WEBHOOK_TIMESTAMP": headers["webhook-timestamp"],
        "WEBHOOK_SIGNATURE": headers["webhook-signature"],
    }
    done = subprocess.run(
        [*INTERPRETERS[language], program(language)],
        input=body.encode(),
        env=environment,
        timeout=30,
        check=False,
    )
    return done.returncode == 0


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_program_takes_what_we_sign_and_nothing_else(language: str) -> None:
    secret = new_secret()
    assert accepts(language, secret=secret)
    assert not accepts(language, secret="")
    assert not accepts(language, secret=secret, body=BODY + " ")
    assert not accepts(language, secret=secret, age=400)


def test_what_a_try_can_say_is_in_the_table() -> None:
    for word in REASONS.keys() - {"ReplyTooLarge"}:
        assert f"`{word}`" in DOCUMENT, word
