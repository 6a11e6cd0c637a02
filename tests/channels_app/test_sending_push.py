from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from channels_app import action_tokens, sending
from channels_app.action_tokens import Action
from channels_app.event_types import CATALOGUE
from channels_app.gateways.pushes import Platform, Target
from channels_app.leases import Leased
from channels_app.levels import Level
from channels_app.links import About

NOW = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)

# A delivery in the hands of a worker, all made up: no row is needed to say what is pushed.
LEASED = Leased(
    delivery_id=5,
    attempt=1,
    expires_at=NOW + timedelta(minutes=15),
    notification_id=4,
    membership_id=7,
    installation_id=UUID(int=9),
    target=Target(Platform.FCM, "android-sandbox", "token"),
    level=Level.CRITICAL,
    title="🆘 Customer escalation: Bot X",
    body="Tap to claim and respond.",
    locale="de",
    about=About(
        row=CATALOGUE["conversation.human_requested"],
        organization_id=1,
        event_id=3,
        source="bot_x",
        subject="conv_1001",
    ),
    organization="acme",
    facts={"conversation": 1001, "epoch": 2},
)
RUN = replace(
    LEASED,
    about=About(
        row=CATALOGUE["workflow.step_stuck"],
        organization_id=1,
        event_id=3,
        source="wf_kpi",
        subject="run_900",
        step="3",
    ),
    facts={"steps": 4},
    level=Level.LOUD,
)
BOT = replace(
    RUN,
    about=About(row=CATALOGUE["bot.tool_linked"], organization_id=1, event_id=3, source="bot_x"),
)


def test_a_push_shows_the_banner_that_was_rendered() -> None:
    push = sending.push(LEASED)
    assert (push.title, push.body, push.locale) == (LEASED.title, LEASED.body, "de")
    assert (push.delivery_id, push.target, push.level) == (5, LEASED.target, "critical")
    assert push.expires_at == LEASED.expires_at


@pytest.mark.parametrize(
    ("leased", "channel", "category", "path"),
    [
        (LEASED, "escalation", "ESCALATION", "/o/acme/conversations/conv_1001"),
        (BOT, "auto_update", "AUTO_UPDATE", "/o/acme/bots/bot_x/audit-log"),
        (RUN, "workflow", "WORKFLOW", "/o/acme/workflows/wf_kpi/runs/run_900"),
    ],
)
def test_a_push_has_its_channel_its_buttons_and_its_link(
    leased: Leased, channel: str, category: str, path: str, settings: Any
) -> None:
    settings.LINK_BASE = "https://app.example.com"
    push = sending.push(leased)
    assert (push.channel, push.category) == (channel, category)
    assert push.link == f"https://app.example.com{path}"


@pytest.mark.parametrize(
    ("leased", "ids"),
    [
        (LEASED, {"bot_id": "bot_x", "conversation_id": "conv_1001", "epoch": "2"}),
        (BOT, {"bot_id": "bot_x"}),
        (RUN, {"workflow_id": "wf_kpi", "run_id": "run_900"}),
    ],
)
def test_a_push_carries_the_ids_of_all_it_is_about(leased: Leased, ids: dict[str, str]) -> None:
    data = dict(sending.push(leased).data)
    data.pop("action_token", "")
    ours = {"event_id": "3", "notification_id": "4", "organization": "acme"}
    assert data == {"type": leased.about.row.name, **ours, **ids}


def test_a_later_attempt_is_the_same_banner() -> None:
    first, second = sending.push(LEASED), sending.push(replace(LEASED, attempt=2))
    assert (first.thread, first.collapse_key) == (second.thread, second.collapse_key)


def test_the_button_of_an_escalation_claims_this_round_for_this_person_on_this_device() -> None:
    token = sending.push(LEASED).data["action_token"]
    assert action_tokens.redeem(token, max_age=timedelta(minutes=1)) == Action(
        membership_id=7, installation_id=UUID(int=9), conversation_id=1001, epoch=2
    )


@pytest.mark.parametrize("leased", [BOT, RUN])
def test_where_there_is_nothing_to_claim_there_is_no_token(leased: Leased) -> None:
    assert "action_token" not in sending.push(leased).data
