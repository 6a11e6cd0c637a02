"""Asking `/api/v1/` in tests, as an app of a person would."""

from __future__ import annotations

import uuid
from typing import Any

from rest_framework.test import APIClient

from channels_app.api.credentials import Credential, Scope
from channels_app.models import User
from tests.factories import UserFactory

PROBLEM = "application/problem+json"


def client_for(user: User, *, scopes: frozenset[Scope] = frozenset(Scope)) -> APIClient:
    """A client that a person is signed in with; how tokens are checked is tested elsewhere."""
    client = APIClient()
    client.default_format = "json"
    credential = Credential(client="test-app", scopes=scopes)
    client.force_authenticate(user, token=credential)  # type: ignore[arg-type]  # any object is
    return client


def newcomer() -> User:
    """A person whom no limit has counted yet: Redis remembers the ids of earlier test runs."""
    return UserFactory.create(pk=uuid.uuid4().int >> 66)


def pointers(answer: Any) -> set[str]:
    """The places that an answer of problem details finds fault with."""
    assert answer["Content-Type"] == PROBLEM, answer.content
    return {error["pointer"] for error in answer.json()["errors"]}
