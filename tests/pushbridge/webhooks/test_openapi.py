from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import call_command
from django.test import Client
from openapi_schema_validator import OAS31Validator

EXAMPLES = sorted((Path(__file__).parents[3] / "docs" / "examples").glob("*.json"))


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The OpenAPI document, which drf-spectacular finds valid and has no doubts about."""
    out = StringIO()
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=out)
    loaded: dict[str, Any] = yaml.safe_load(out.getvalue())
    return loaded


@pytest.fixture(scope="module")
def event(document: dict[str, Any]) -> OAS31Validator:
    return OAS31Validator({**document, "$ref": "#/components/schemas/Event"})


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_fits_the_document(event: OAS31Validator, path: Path) -> None:
    event.validate(json.loads(path.read_text())["event"])


def test_an_unknown_type_fits_and_a_known_one_without_its_fields_does_not(
    event: OAS31Validator,
) -> None:
    envelope = {"timestamp": "2026-11-23T10:00:00Z", "data": {}}

    assert event.is_valid({**envelope, "type": "invoice.paid"})
    assert not event.is_valid({**envelope, "type": "bot.retrained"})


def test_the_documentation_page_needs_no_other_host() -> None:
    page = Client().get("/api/docs/").content.decode()

    assert "/static/drf_spectacular_sidecar/" in page
    assert "https://" not in page
