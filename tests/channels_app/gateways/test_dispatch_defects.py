"""A defect of our own in the middle of a push: the push comes back all the same."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from channels_app.gateways import outcomes
from channels_app.gateways.apns import ApnsApplication
from channels_app.gateways.credentials import Applications
from channels_app.gateways.dispatch import Dispatcher
from channels_app.gateways.fcm_access import FcmApplication
from channels_app.gateways.pushes import Verdict
from channels_app.sandbox.process import SandboxProcess
from tests.channels_app.gateways.sandboxed import answer, answers, banner_for


def defect(*_: Any, **__: Any) -> Any:
    raise ZeroDivisionError("nobody has foreseen this")


def test_an_answer_that_cannot_be_read_leaves_the_push_unknown(
    sandbox: SandboxProcess, dispatcher: Dispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ApnsApplication, "outcome", defect)
    phone, web = sandbox.phone("apns"), sandbox.phone("webpush")

    with capture_logs() as logs:
        got = answers(
            dispatcher,
            banner_for(phone, delivery_id=1),
            banner_for(web, delivery_id=2),
            banner_for(phone, delivery_id=3),
        )

    assert {number: (each.verdict, each.reason, each.status) for number, each in got.items()} == {
        1: (Verdict.UNKNOWN, "Defect", 200),
        2: (Verdict.ACCEPTED, "", 201),
        3: (Verdict.UNKNOWN, "Defect", 200),
    }
    assert dispatcher.in_flight == 0
    assert sorted(entry["delivery"] for entry in logs if entry["event"] == "push.defect") == [1, 3]


@pytest.mark.parametrize(
    ("owner", "method", "platform"),
    [
        (Applications, "of", "apns"),
        (ApnsApplication, "request", "apns"),
        (FcmApplication, "request", "fcm"),
        (FcmApplication, "token_request", "fcm"),
    ],
)
def test_a_push_that_cannot_be_built_is_refused_whatever_the_reason(
    owner: type,
    method: str,
    platform: str,
    sandbox: SandboxProcess,
    dispatcher: Dispatcher,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    phone = sandbox.phone(platform)
    with monkeypatch.context() as broken, capture_logs() as logs:
        broken.setattr(owner, method, defect)
        got = answer(dispatcher, banner_for(phone))

    assert (got.verdict, got.reason, got.status) == (Verdict.REJECTED, "Defect", None)
    assert [entry["delivery"] for entry in logs] == [got.delivery_id]
    assert answer(dispatcher, banner_for(phone)).verdict is Verdict.ACCEPTED


def test_a_token_that_cannot_be_read_sends_the_pushes_back_for_another_try(
    sandbox: SandboxProcess, dispatcher: Dispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = sandbox.phone("fcm")
    with monkeypatch.context() as broken:
        broken.setattr(outcomes, "json_object", defect)
        got = answers(dispatcher, *(banner_for(phone, delivery_id=number) for number in range(3)))

    assert {(each.verdict, each.reason) for each in got.values()} == {
        (Verdict.RETRY, "Token Defect")
    }
    assert answer(dispatcher, banner_for(phone)).verdict is Verdict.ACCEPTED
