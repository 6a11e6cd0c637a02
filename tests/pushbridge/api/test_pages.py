from __future__ import annotations

import re

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from tests.factories import UserFactory

PAGES = ["/api/docs/", "/api/docs/try/"]


@pytest.mark.parametrize("address", PAGES)
@pytest.mark.django_db
def test_a_page_needs_no_other_host(address: str) -> None:
    page = Client().get(address).content.decode()

    assert re.findall(r'(?:src|href)="(?!/[a-z])([^"]*)"', page) == []


@pytest.mark.parametrize("address", [*PAGES, "/sign-in/"])
@pytest.mark.django_db
def test_all_that_a_page_loads_is_there(address: str) -> None:
    page = Client().get(address).content.decode()
    files = re.findall(r'(?:src|href)="/static/([^"]*)"', page)

    assert files
    assert [file for file in files if finders.find(file) is None] == []


def test_the_page_to_read_cannot_load_from_elsewhere() -> None:
    """Redoc would fetch its maker's logo."""
    policy = Client().get("/api/docs/")["Content-Security-Policy"]

    assert "default-src 'self'" in policy
    assert "http" not in policy


@pytest.mark.django_db
def test_the_page_to_try_says_as_whom(client: Client) -> None:
    before = client.get("/api/docs/try/").content.decode()
    client.force_login(UserFactory.create(username="alice"))

    assert "Sign in" in before
    assert "<strong>alice</strong>" in client.get("/api/docs/try/").content.decode()


def test_the_document_is_sent_once(client: Client) -> None:
    first = client.get("/api/schema/")
    again = client.get("/api/schema/", headers={"If-None-Match": first["ETag"]})

    assert first.json()["openapi"] == "3.1.0"
    assert (again.status_code, again.content) == (304, b"")
