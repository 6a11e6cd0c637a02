"""schemathesis asks the whole API: what no example says, and what nobody would send."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from string import Template
from uuid import UUID

import pytest
from django.core.servers.basehttp import WSGIRequestHandler
from pytest_django.live_server_helper import LiveServer
from rest_framework.request import Request
from rest_framework.response import Response

from channels_app.api.device_bodies import DeviceBody
from channels_app.api.devices import DeviceView
from channels_app.models import Installation
from tests.contract import operations, worlds
from tests.contract.worlds import Person

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("applications", "unlimited"),
]

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
PATIENCE = 600
Fuzz = Callable[..., str]


@pytest.fixture
def fuzz(live_server: LiveServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fuzz:
    """What schemathesis has to say of some of its phases, asking about Alice's things."""
    # Django's test server sends head and body apart, and Nagle's algorithm would wait between them.
    monkeypatch.setattr(WSGIRequestHandler, "disable_nagle_algorithm", True)
    alice = worlds.owner(worlds.tenant("acme"), "alice")
    gina = worlds.owner(worlds.tenant("globex"), "gina")
    people = tmp_path / "people.json"
    people.write_text(json.dumps({"auth": [_signed_in("alice", alice), _signed_in("gina", gina)]}))
    ids = {name: value if value.isdigit() else f'"{value}"' for name, value in alice.ids.items()}

    def run(phases: str, parameters: Callable[[str, str], str], examples: int) -> str:
        configuration = tmp_path / "schemathesis.toml"
        configuration.write_text(
            Template(CONFIGURATION.read_text()).substitute(
                address=live_server.url,
                people=people,
                examples=examples,
                parameters="\n".join(parameters(name, value) for name, value in ids.items()),
                dictionaries="\n".join(f"{name}.values = [{ids[name]}]" for name in ids),
            )
        )
        return _output_of_schemathesis(configuration, live_server.url, phases)

    return run


def _signed_in(name: str, person: Person) -> dict[str, object]:
    """One of the people, in the format of Web Fuzzing Commons."""
    header = {"name": "Authorization", "value": f"Bearer {person.token}"}
    return {"name": name, "fixedHeaders": [header]}


def _output_of_schemathesis(configuration: Path, address: str, phases: str) -> str:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(configuration)),
            *("run", f"{address}/api/schema/?format=json", "--no-color", "--phases", phases),
            *("--include-path-regex", f"^{operations.PREFIX}"),
        ],
        cwd=configuration.parent,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    return done.stdout + done.stderr


def always(name: str, value: str) -> str:
    return f'"path.{name}" = {value}'


def mostly(name: str, value: str) -> str:
    return f'"path.{name}" = {{dictionary = "{name}", probability = 0.9}}'


def in_her_organization(name: str, value: str) -> str:
    """All other ids schemathesis takes from what it was answered before."""
    return always(name, value) if name == "org" else ""


def faults(output: str) -> list[str]:
    """The titles of what was found; nothing at all cannot have been a whole run."""
    assert re.search(r"Test cases:\n +[0-9]+ generated", output), output
    return re.findall(r"^ +❌ (ST.*)$", output, re.MULTILINE)


def test_each_value_that_the_schema_allows_or_forbids_is_answered_as_it_says(fuzz: Fuzz) -> None:
    output = fuzz("examples,coverage", always, examples=1)

    assert f"Tested: {len(operations.operations())}" in output
    assert not faults(output), output


def test_nothing_at_random_finds_a_fault(fuzz: Fuzz) -> None:
    output = fuzz("fuzzing", mostly, examples=10)

    assert f"Tested: {len(operations.operations())}" in output
    assert not faults(output), output


def test_no_sequence_of_requests_finds_a_fault_or_a_strangers_things(fuzz: Fuzz) -> None:
    output = fuzz("stateful", in_her_organization, examples=60)

    assert not faults(output), output


def test_a_leak_would_have_been_found(fuzz: Fuzz, monkeypatch: pytest.MonkeyPatch) -> None:
    def leak(self: DeviceView, request: Request, installation: UUID) -> Response:
        return Response(DeviceBody(Installation.objects.get(pk=installation)).data)

    monkeypatch.setattr(DeviceView, "get", leak)

    output = fuzz("stateful", in_her_organization, examples=60)

    assert any("Object-level authorization" in fault for fault in faults(output)), output
