"""Ladders as operators set them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from channels_app.models import Bot, Organization
from claims import ladders
from claims.ladder import DEFAULT, Audience
from claims.models import Ladder, Wave
from tests.channels_app.admin.worlds import operator
from tests.factories import (
    BotFactory,
    LadderFactory,
    OrganizationFactory,
    RoleFactory,
    WaveFactory,
)
from tests.queries import taken_by

pytestmark = pytest.mark.django_db
ADD = "admin:claims_ladder_add"


@pytest.fixture
def acme() -> Organization:
    return OrganizationFactory.create(name="Acme", slug="acme")


@pytest.fixture
def bot(acme: Organization) -> Bot:
    return BotFactory.create(organization=acme, name="Bot X")


@pytest.fixture
def as_operator(client: Client, acme: Organization) -> Client:
    client.force_login(operator(acme))
    return client


def form(organization: Organization, *waves: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """What the browser sends."""
    rows = waves or ({"after": "0:00:00", "audience": "subscribers"},)
    sent: dict[str, Any] = {
        "organization": organization.pk,
        "bot": "",
        "repeats": 2,
        "repeat_every": "0:03:00",
        "alarm": "on",
        "claim_lease": "0:30:00",
        "waves-TOTAL_FORMS": len(rows),
        "waves-INITIAL_FORMS": 0,
        **fields,
    }
    for number, row in enumerate(rows):
        sent |= {f"waves-{number}-{name}": value for name, value in row.items()}
    return sent


def add(client: Client, sent: dict[str, Any]) -> Any:
    return client.post(reverse(ADD), sent)


def faults(answer: Any) -> dict[str, list[str]]:
    """By field, those of waves by `number.field`."""
    assert answer.status_code == 200
    found = dict(answer.context["adminform"].form.errors)
    waves = answer.context["inline_admin_formsets"][0].formset
    if waves.non_form_errors():
        found["waves"] = list(waves.non_form_errors())
    for number, errors in enumerate(waves.errors):
        found |= {f"{number}.{field}": list(texts) for field, texts in errors.items()}
    assert not Ladder.objects.exists()
    return found


def test_a_ladder_is_set_and_climbed_as_set(as_operator: Client, bot: Bot) -> None:
    leads = RoleFactory.create(organization=bot.organization)
    answer = add(
        as_operator,
        form(
            bot.organization,
            {"after": "0:05:00", "audience": "role", "role": leads.pk},
            {"after": "0:00:00", "audience": "awake"},
            bot=bot.pk,
            repeats=1,
            claim_lease="",
        ),
    )
    assert answer.status_code == 302
    found = ladders.of_bots({bot.pk: bot.organization_id})[bot.pk]
    assert [(wave.after, wave.audience, wave.role_id) for wave in found.waves] == [
        (timedelta(), Audience.AWAKE, None),
        (timedelta(minutes=5), Audience.ROLE, leads.pk),
    ]
    assert (found.repeats, found.claim_lease) == (1, None)


def test_a_new_ladder_starts_as_the_one_that_is_built_in(
    as_operator: Client, acme: Organization
) -> None:
    waves = as_operator.get(reverse(ADD)).context["inline_admin_formsets"][0].formset
    rows = [
        {"after": str(one.initial["after"]), "audience": one.initial["audience"]}
        for one in waves.forms
    ]
    assert add(as_operator, form(acme, *rows)).status_code == 302
    stranger = BotFactory.create(organization=acme)
    found = ladders.of_bots({stranger.pk: acme.pk})
    assert found[stranger.pk] == DEFAULT


FIRST = {"after": "0:00:00", "audience": "subscribers"}


@pytest.mark.parametrize(
    ("waves", "fields", "places"),
    [
        ([{"after": "0:01:00", "audience": "awake"}], {}, {"0.after"}),
        ([{"after": "0:00:00", "audience": "operators"}], {}, {"0.audience"}),
        ([FIRST, {"after": "0:00:10", "audience": "responders"}], {}, {"1.after"}),
        ([FIRST, {"after": "0:05:00", "audience": "role"}], {}, {"1.role"}),
        ([FIRST, {"after": "30:00:00", "audience": "responders"}], {}, {"1.after"}),
        ([FIRST, {"after": "soon", "audience": "everybody"}], {}, {"1.after", "1.audience"}),
        ([FIRST | {"DELETE": "on"}], {}, {"waves"}),
        ([FIRST], {"repeats": 99}, {"repeats"}),
        ([FIRST], {"repeat_every": "0:00:05"}, {"repeat_every"}),
        ([FIRST], {"claim_lease": "0:00:10"}, {"claim_lease"}),
        ([FIRST], {"claim_lease": "-0:10:00"}, {"claim_lease"}),
    ],
)
def test_what_is_no_ladder_is_said_where_it_is_wrong(
    as_operator: Client,
    acme: Organization,
    waves: list[dict[str, Any]],
    fields: dict[str, Any],
    places: set[str],
) -> None:
    assert faults(add(as_operator, form(acme, *waves, **fields))).keys() == places


def test_what_belongs_to_another_organization_is_refused(
    client: Client, acme: Organization
) -> None:
    """Even of one that the operator belongs to as well."""
    zebra = OrganizationFactory.create()
    client.force_login(operator(acme, zebra))
    bot = BotFactory.create(organization=zebra)
    role = RoleFactory.create(organization=zebra)
    assert faults(add(client, form(acme, bot=bot.pk))).keys() == {"bot"}
    wave = {"after": "0:05:00", "audience": "role", "role": role.pk}
    assert faults(add(client, form(acme, FIRST, wave))).keys() == {"1.role"}


@pytest.mark.parametrize("of_bot", [True, False])
def test_each_has_one(as_operator: Client, bot: Bot, of_bot: bool) -> None:
    chosen = {"bot": bot.pk} if of_bot else {}
    assert add(as_operator, form(bot.organization, **chosen)).status_code == 302
    answer = add(as_operator, form(bot.organization, **chosen))
    assert "bot" in answer.context["adminform"].form.errors
    assert Ladder.objects.count() == 1


def test_a_ladder_is_changed_as_a_whole(as_operator: Client, bot: Bot) -> None:
    row = LadderFactory.create(organization=bot.organization, bot=bot)
    first = WaveFactory.create(ladder=row)
    second = WaveFactory.create(ladder=row, after=timedelta(minutes=1), audience="responders")
    sent = form(
        bot.organization,
        {"id": first.pk, "ladder": row.pk, **FIRST, "audience": "awake"},
        {"id": second.pk, "ladder": row.pk, "after": "0:01:00", "audience": "responders"}
        | {"DELETE": "on"},
        **{"waves-INITIAL_FORMS": 2},
    )
    answer = as_operator.post(reverse("admin:claims_ladder_change", args=[row.pk]), sent)
    assert answer.status_code == 302
    assert [wave.audience for wave in row.waves.all()] == ["awake"]


def test_the_list_says_what_each_ladder_does(
    as_operator: Client, bot: Bot, acme: Organization
) -> None:
    address = reverse("admin:claims_ladder_changelist")
    row = LadderFactory.create(organization=acme, bot=bot)
    lead = RoleFactory.create(organization=acme, name="Leads")
    WaveFactory.create(ladder=row)
    WaveFactory.create(ladder=row, after=timedelta(minutes=2), audience="role", role=lead)
    text = as_operator.get(address).content.decode()
    assert "at once: all subscribers who may respond; after 2 min 0 s: the role “Leads”" in text
    assert "2 × every 3 min 0 s, then the alarm" in text
    few = taken_by(lambda: as_operator.get(address))
    for _ in range(5):
        other = LadderFactory.create(organization=acme, bot=BotFactory.create(organization=acme))
        WaveFactory.create(ladder=other, audience=Wave.Audience.AWAKE)
    assert taken_by(lambda: as_operator.get(address)) == few
