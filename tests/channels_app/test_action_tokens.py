from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.core.signing import TimestampSigner
from hypothesis import given
from hypothesis import strategies as st
from time_machine import travel

from channels_app import action_tokens
from channels_app.action_tokens import Action, BadToken

ACTION = Action(
    membership_id=7,
    installation_id=UUID("0f8fad5b-d9cb-469f-a165-70867728950e"),
    conversation_id=1001,
    epoch=2,
)
WINDOW = timedelta(minutes=15)
AT = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)
ids = st.integers(1, 2**63 - 1)


@given(st.builds(Action, ids, st.uuids(), ids, st.integers(1, 2**31 - 1)))
def test_a_token_allows_what_it_was_issued_for(action: Action) -> None:
    assert action_tokens.redeem(action_tokens.issue(action), max_age=WINDOW) == action


def test_a_token_is_short_and_safe_in_a_url() -> None:
    token = action_tokens.issue(ACTION)
    assert len(token) < 130
    assert re.fullmatch(r"[A-Za-z0-9.:_-]+", token)


@given(place=st.integers(0, 200), character=st.characters(exclude_categories=["Cs"]))
def test_a_token_that_was_changed_anywhere_is_refused(place: int, character: str) -> None:
    token = action_tokens.issue(ACTION)
    place %= len(token)
    changed = token[:place] + character + token[place + 1 :]
    if changed != token:
        with pytest.raises(BadToken):
            action_tokens.redeem(changed, max_age=WINDOW)


def test_the_end_of_one_token_does_not_fit_another() -> None:
    with travel(AT, tick=False):
        signature = action_tokens.issue(ACTION).split(":", 1)[1]
        later_round = action_tokens.issue(replace(ACTION, epoch=3)).split(":", 1)[0]
        with pytest.raises(BadToken):
            action_tokens.redeem(f"{later_round}:{signature}", max_age=WINDOW)


@pytest.mark.parametrize("token", ["", ":", "a:b:c", "7", "\x00", "\ud800", "7.8.9.1:é:x" * 1000])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(BadToken):
        action_tokens.redeem(token, max_age=WINDOW)


def test_a_token_lives_as_long_as_it_is_allowed_to() -> None:
    with travel(AT, tick=False):
        token = action_tokens.issue(ACTION)
    with travel(AT + WINDOW, tick=False):
        assert action_tokens.redeem(token, max_age=WINDOW) == ACTION


def test_a_token_that_is_too_old_is_refused() -> None:
    with travel(AT, tick=False):
        token = action_tokens.issue(ACTION)
    with travel(AT + WINDOW + timedelta(seconds=1), tick=False), pytest.raises(BadToken):
        action_tokens.redeem(token, max_age=WINDOW)


def test_what_was_signed_for_another_purpose_is_refused() -> None:
    content = action_tokens.issue(ACTION).split(":", 1)[0]
    foreign = TimestampSigner(salt="password reset").sign(content)
    with pytest.raises(BadToken):
        action_tokens.redeem(foreign, max_age=WINDOW)


@pytest.mark.parametrize("content", ["", "7.x.9.1", "7.0f8fad5b.9.1", "1.2.3", "1.2.3.4.5"])
def test_what_was_signed_but_is_no_action_is_refused(content: str) -> None:
    signed = TimestampSigner(salt="pushbridge.action").sign(content)
    with pytest.raises(BadToken):
        action_tokens.redeem(signed, max_age=WINDOW)


def test_a_token_of_another_system_is_refused() -> None:
    foreign = TimestampSigner(key="another key", salt="pushbridge.action").sign(
        action_tokens.issue(ACTION).split(":", 1)[0]
    )
    with pytest.raises(BadToken):
        action_tokens.redeem(foreign, max_age=WINDOW)
