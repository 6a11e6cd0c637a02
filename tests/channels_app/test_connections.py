"""Connections and the rotation of their secrets."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError

from channels_app import connections
from channels_app.connections import ROTATION_GRACE, RotationUnderWay
from channels_app.models import Connection
from tests.factories import ConnectionFactory, OrganizationFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def test_a_new_secret_is_of_the_length_that_standard_webhooks_asks_for() -> None:
    made = connections.create(organization_id=OrganizationFactory.create().pk, name="main")
    prefix, encoded = made.secret[:6], made.secret[6:]
    assert prefix == "whsec_"
    assert 24 <= len(base64.b64decode(encoded, validate=True)) <= 64


def test_no_two_connections_share_a_secret() -> None:
    organization = OrganizationFactory.create()
    first = connections.create(organization_id=organization.pk, name="one")
    second = connections.create(organization_id=organization.pk, name="two")
    assert first.secret != second.secret


def test_a_name_is_used_once_in_an_organization() -> None:
    taken = ConnectionFactory.create()
    with pytest.raises(IntegrityError):
        connections.create(organization_id=taken.organization_id, name=taken.name)


def test_the_secret_before_a_rotation_stays_valid_for_a_day() -> None:
    connection = ConnectionFactory.create()
    before = connection.secret
    secret = connections.rotate(connection_id=connection.pk, now=NOW)
    connection.refresh_from_db()
    assert connection.secret == secret != before
    assert connection.previous_secret == before
    assert connection.previous_secret_until == NOW + timedelta(hours=24)


def test_a_second_rotation_does_not_cut_off_the_secret_that_is_in_use() -> None:
    connection = ConnectionFactory.create()
    in_use = connection.secret
    first = connections.rotate(connection_id=connection.pk, now=NOW)
    with pytest.raises(RotationUnderWay) as raised:
        connections.rotate(connection_id=connection.pk, now=NOW + timedelta(hours=1))
    assert raised.value.until == NOW + ROTATION_GRACE
    connection.refresh_from_db()
    assert (connection.secret, connection.previous_secret) == (first, in_use)


def test_after_a_day_the_secret_can_be_rotated_again() -> None:
    connection = ConnectionFactory.create()
    first = connections.rotate(connection_id=connection.pk, now=NOW)
    connections.rotate(connection_id=connection.pk, now=NOW + ROTATION_GRACE)
    connection.refresh_from_db()
    assert connection.previous_secret == first


def test_a_leaked_secret_is_retired_at_once() -> None:
    connection = ConnectionFactory.create()
    secret = connections.rotate(connection_id=connection.pk, now=NOW)
    assert connections.retire_previous_secret(connection_id=connection.pk)
    connection.refresh_from_db()
    assert (connection.secret, connection.previous_secret) == (secret, "")
    assert not connections.retire_previous_secret(connection_id=connection.pk)


def test_a_connection_that_is_not_there_cannot_be_rotated() -> None:
    gone = ConnectionFactory.create()
    Connection.objects.all().delete()
    with pytest.raises(Connection.DoesNotExist):
        connections.rotate(connection_id=gone.pk, now=NOW)
