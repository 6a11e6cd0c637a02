"""docs/events.md is a contract: its programs run, and it names what the catalogue names."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_django.live_server_helper import LiveServer

from channels_app.event_types import CATALOGUE
from channels_app.models import Event
from pushbridge.webhooks.openapi import add_door
from tests.factories import ConnectionFactory
from tests.pushbridge.webhooks.signing import human_requested, url

DOCS = Path(__file__).parents[3] / "docs"
TEXT = (DOCS / "events.md").read_text()

INTERPRETERS = {
    "python": [sys.executable, "-c"],
    "bash": ["bash", "-euo", "pipefail", "-c"],
    # Not on every machine that has Python.
    **({"javascript": ["node", "-e"]} if shutil.which("node") else {}),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("language", INTERPRETERS)
def test_a_program_of_the_documentation_signs_an_event(
    language: str, live_server: LiveServer
) -> None:
    connection = ConnectionFactory.create()
    (program,) = re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    event = human_requested(message="J'arrête. Ça suffit 🆘")

    ran = subprocess.run(
        [*INTERPRETERS[language], program],
        input=json.dumps(event, ensure_ascii=False).encode(),
        env={
            **os.environ,
            "WEBHOOK_URL": f"{live_server.url}{url(connection.pk)}",
            "WEBHOOK_SECRET": connection.secret,
        },
        capture_output=True,
        timeout=60,
        check=True,
    )

    stored = Event.objects.get()
    assert "202" in ran.stdout.decode()
    assert f'{{"id": {stored.pk}}}' in ran.stdout.decode()
    assert stored.payload == event


def test_every_type_and_every_own_field_is_named() -> None:
    named = set(re.findall(r"`([a-z_.]+)`", TEXT))

    assert set(CATALOGUE) <= named
    for row in CATALOGUE.values():
        assert set(row.shape.model_fields) <= named, row.name


def test_every_answer_of_the_openapi_document_is_in_the_table() -> None:
    document = add_door({"paths": {}}, None, None, True)
    answers = document["paths"]["/webhooks/v1/{connection}"]["post"]["responses"]
    table = TEXT.partition("## Answers")[2].partition("```")[0]

    assert set(answers) <= set(re.findall(r"\d{3}", table))
