from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels_app import links
from channels_app.event_types import CATALOGUE, OWN
from channels_app.links import About, Place, Screen

CONVERSATION = About(
    row=CATALOGUE["conversation.human_requested"],
    organization_id=1,
    event_id=10,
    source="bot_x",
    subject="conv_1001",
)
BOT = About(row=CATALOGUE["bot.retrained"], organization_id=1, event_id=11, source="bot_x")
RUN = About(
    row=CATALOGUE["workflow.run_finished"],
    organization_id=1,
    event_id=12,
    source="wf_lead",
    subject="run_501",
)
STEP = replace(RUN, row=CATALOGUE["workflow.step_stuck"], step="3")
DIGEST = About(row=OWN["member.digest"], organization_id=1, event_id=13, source="")
EACH = pytest.mark.parametrize(
    "about", [CONVERSATION, BOT, RUN, STEP], ids=["conversation", "bot", "run", "step"]
)
# The door refuses NUL and lone surrogates.
platform_ids = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=20
)


@EACH
def test_both_identities_are_32_characters_of_base64url(about: About) -> None:
    identity = links.identity(about)
    assert re.fullmatch(r"[A-Za-z0-9_-]{32}", identity.thread)
    assert re.fullmatch(r"[A-Za-z0-9_-]{32}", identity.collapse_key)


def test_the_identity_of_a_conversation_never_changes_from_one_release_to_the_next() -> None:
    # What is on the phones was put there by the release before: a replacement must find it.
    assert links.identity(CONVERSATION).collapse_key == "xqXvqI41QaZGNTKgyZ1wssFbJhpG7eRV"


@EACH
def test_the_same_ids_of_another_organization_are_another_banner(about: About) -> None:
    ours, theirs = links.identity(about), links.identity(replace(about, organization_id=2))
    assert ours.thread != theirs.thread
    assert ours.collapse_key != theirs.collapse_key


@pytest.mark.parametrize("type", [name for name in CATALOGUE if name.startswith("conversation.")])
def test_all_events_of_a_conversation_are_one_banner(type: str) -> None:
    later = replace(CONVERSATION, row=CATALOGUE[type], event_id=99)
    assert links.identity(later) == links.identity(CONVERSATION)


def test_each_change_of_a_bot_is_a_banner_of_its_own_in_one_thread() -> None:
    first, second = links.identity(BOT), links.identity(replace(BOT, event_id=99))
    assert first.thread == second.thread
    assert first.collapse_key != second.collapse_key


def test_a_run_is_one_banner_from_its_start_to_its_end() -> None:
    started = replace(RUN, row=CATALOGUE["workflow.run_started"], event_id=99)
    assert links.identity(started) == links.identity(RUN)


def test_a_step_is_one_banner_whether_it_is_stuck_or_done() -> None:
    done = replace(STEP, row=CATALOGUE["workflow.step_completed"], event_id=99)
    assert links.identity(done) == links.identity(STEP)


def test_the_steps_of_a_run_are_banners_of_their_own_in_the_thread_of_the_run() -> None:
    third, fourth = links.identity(STEP), links.identity(replace(STEP, step="4"))
    assert third.thread == fourth.thread == links.identity(RUN).thread
    assert len({third.collapse_key, fourth.collapse_key, links.identity(RUN).collapse_key}) == 3


@given(one=st.tuples(platform_ids, platform_ids), other=st.tuples(platform_ids, platform_ids))
def test_two_runs_share_a_banner_only_if_they_are_the_same(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    first, second = (
        links.identity(replace(RUN, source=source, subject=subject))
        for source, subject in (one, other)
    )
    assert (first == second) == (one == other)


@pytest.mark.parametrize(
    ("about", "path"),
    [
        (CONVERSATION, "/o/acme/conversations/conv_1001"),
        (BOT, "/o/acme/bots/bot_x/audit-log"),
        (RUN, "/o/acme/workflows/wf_lead/runs/run_501"),
        (STEP, "/o/acme/workflows/wf_lead/runs/run_501"),
    ],
)
def test_a_tap_opens_the_page_of_what_the_event_is_about(about: About, path: str) -> None:
    assert links.link(about, base="pushbridge://app", organization="acme") == (
        f"pushbridge://app{path}"
    )


@given(source=platform_ids, subject=platform_ids)
def test_no_id_breaks_out_of_its_place_in_the_link(source: str, subject: str) -> None:
    about = replace(RUN, source=source, subject=subject)
    link = links.link(about, base="https://x.example", organization="acme")
    assert re.fullmatch(r"[A-Za-z0-9:/%_.~-]+", link)
    parts = [unquote(part) for part in link.split("/")[3:]]
    assert parts == ["o", "acme", "workflows", source, "runs", subject]


@pytest.mark.parametrize(
    ("about", "ids"),
    [
        (CONVERSATION, {"bot_id": "bot_x", "conversation_id": "conv_1001"}),
        (BOT, {"bot_id": "bot_x"}),
        (RUN, {"workflow_id": "wf_lead", "run_id": "run_501"}),
    ],
)
def test_a_banner_carries_the_ids_of_what_it_is_about(about: About, ids: dict[str, str]) -> None:
    assert links.ids(about) == ids


@given(
    st.sampled_from([CONVERSATION, BOT, RUN, STEP, DIGEST]),
    platform_ids,
    platform_ids,
    st.sampled_from(["https://chat.example.com/app", "pushbridge://app", ""]),
)
def test_every_link_leads_back_to_what_it_was_made_of(
    about: About, source: str, subject: str, base: str
) -> None:
    link = links.link(replace(about, source=source, subject=subject), base=base, organization="a-1")

    place = links.parse(link, base=base)

    assert place.organization == "a-1"
    assert (
        place
        == {
            CONVERSATION.row: Place(Screen.CONVERSATION, "a-1", subject=subject),
            BOT.row: Place(Screen.AUDIT_LOG, "a-1", source=source),
            RUN.row: Place(Screen.RUN, "a-1", source=source, subject=subject),
            STEP.row: Place(Screen.RUN, "a-1", source=source, subject=subject),
            DIGEST.row: Place(Screen.INBOX, "a-1"),
        }[about.row]
    )


@pytest.mark.parametrize(
    "link",
    [
        "",
        "/o/acme/inbox",
        "https://other.example.com/o/acme/inbox",
        "https://chat.example.com.evil.com/o/acme/inbox",
        "https://chat.example.com",
        "https://chat.example.com/o/acme",
        "https://chat.example.com/o/acme/inbox/",
        "https://chat.example.com/o/acme/inbox?x=1",
        "https://chat.example.com/o/acme/inbox\n",
        "https://chat.example.com/o//inbox",
        "https://chat.example.com/o/ac%2Fme/inbox",
        "https://chat.example.com/o/acme/conversations/",
        "https://chat.example.com/o/acme/conversations/a/b",
        "https://chat.example.com/o/acme/conversations/a#b",
        "https://chat.example.com/o/acme/conversations/%00",
        "https://chat.example.com/o/acme/conversations/%ff",
        "https://chat.example.com/o/acme/conversations/\ud800",
        "https://chat.example.com/o/acme/bots/b",
        "https://chat.example.com/o/acme/workflows/w/runs/",
        "https://chat.example.com/o/acme/users/1",
    ],
)
def test_what_no_banner_carries_leads_nowhere(link: str) -> None:
    with pytest.raises(links.NoLinkOfOurs):
        links.parse(link, base="https://chat.example.com")
