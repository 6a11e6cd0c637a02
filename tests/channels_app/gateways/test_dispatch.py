"""All three gateways through the dispatcher, against the sandbox, in good times and bad."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from channels_app.gateways.credentials import Applications, Credentials
from channels_app.gateways.dispatch import Dispatcher, GatewayConfig
from channels_app.gateways.pushes import Answer, Platform, Push, Target, Verdict
from channels_app.sandbox.process import SandboxProcess
from tests.channels_app.gateways.making import push

PATIENCE = 20.0
PLATFORMS = ["apns", "fcm", "webpush"]

Dispatchers = Callable[..., Dispatcher]


def credentials_of(application: dict[str, Any]) -> dict[str, Any]:
    """An entry of the sandbox's applications.json as django-push-notifications has it."""
    match application["platform"]:
        case "APNS":
            return {
                "PLATFORM": "APNS",
                "AUTH_KEY_PATH": application["auth_key_path"],
                "AUTH_KEY_ID": application["auth_key_id"],
                "TEAM_ID": application["team_id"],
                "TOPIC": application["topic"],
            }
        case "FCM":
            return {"PLATFORM": "FCM"}
        case _:
            claims = {"sub": application["subject"]}
            path = application["private_key_path"]
            return {"PLATFORM": "WP", "PRIVATE_KEY": path, "CLAIMS": claims}


def config(sandbox: SandboxProcess, **changes: Any) -> GatewayConfig:
    given = json.loads(sandbox.applications_file.read_text())
    overrides = changes.pop("credentials", {})
    applications = Applications(
        credentials=Credentials(
            {name: credentials_of(app) | overrides.get(name, {}) for name, app in given.items()}
        ),
        shapes={name: app.get("shape", "expo") for name, app in given.items()},
        entitled=frozenset(name for name, app in given.items() if app.get("critical_alerts")),
        service_accounts={
            name: app["service_account_path"]
            for name, app in given.items()
            if app["platform"] == "FCM"
        },
        apns_url=sandbox.url,
        fcm_url=sandbox.url,
        webpush_hosts=("127.0.0.1",),
    )
    return GatewayConfig(
        applications,
        ca_file=str(sandbox.ca_file),
        networks=changes.pop("networks", ["127.0.0.0/8"]),
        **changes,
    )


@pytest.fixture
def dispatchers(sandbox: SandboxProcess) -> Iterator[Dispatchers]:
    """Make a dispatcher for the sandbox; closed at the end."""
    made: list[Dispatcher] = []

    def make(**changes: Any) -> Dispatcher:
        made.append(Dispatcher(config(sandbox, **changes)))
        return made[-1]

    yield make
    for dispatcher in made:
        dispatcher.close()


@pytest.fixture
def dispatcher(dispatchers: Dispatchers) -> Dispatcher:
    return dispatchers()


def banner_for(phone: dict[str, Any], **changes: Any) -> Push:
    target = Target(
        platform=Platform(phone["platform"]),
        application_id=phone["application_id"],
        registration_id=phone["registration_id"],
        p256dh=phone.get("p256dh") or "",
        auth=phone.get("auth") or "",
        critical_allowed=True,
    )
    fields: dict[str, Any] = {"expires_at": datetime.now(UTC) + timedelta(minutes=5)}
    given = push(**(fields | changes))
    return Push(**{name: getattr(given, name) for name in Push.__slots__} | {"target": target})


def answers(dispatcher: Dispatcher, *pushes: Push) -> dict[int, Answer]:
    """Submit, and poll until all have come back."""
    for each in pushes:
        dispatcher.submit(each, datetime.now(UTC))
    found: dict[int, Answer] = {}
    until = time.monotonic() + PATIENCE
    while dispatcher.in_flight and time.monotonic() < until:
        for answer in dispatcher.poll(1.0):
            assert answer.delivery_id not in found
            found[answer.delivery_id] = answer
    assert set(found) == {each.delivery_id for each in pushes}
    return found


def answer(dispatcher: Dispatcher, one: Push) -> Answer:
    return answers(dispatcher, one)[one.delivery_id]


@pytest.mark.parametrize("level", ["critical", "loud", "quiet"])
@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_banner_arrives_word_for_word(
    platform: str, level: str, sandbox: SandboxProcess, dispatcher: Dispatcher
) -> None:
    phone = sandbox.phone(platform, owner=f"Alice {level}")

    got = answer(dispatcher, banner_for(phone, level=level))

    shown = sandbox.screen(phone["id"])[0]
    assert got.verdict is Verdict.ACCEPTED, got
    assert got.gateway_id
    assert got.sent_at <= got.answered_at
    assert shown["title"] == "🆘 Customer escalation: Bot X"
    assert (
        shown["body"] == '"I want to talk to a human about my refund."\nTap to claim and respond.'
    )
    assert shown["level"] == level
    assert shown["link"] == "pushbridge://app/o/acme/conversations/c-1"
    assert [action["action"] for action in shown["actions"]] == ["claim", "view", "snooze"]
    assert shown["data"]["action_token"] == "t-1"
    assert shown["tag"] == "conversation:c-1:1"
    assert shown["warnings"] == []


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_same_identity_replaces_the_banner(
    platform: str, sandbox: SandboxProcess, dispatcher: Dispatcher
) -> None:
    phone = sandbox.phone(platform, owner="Replaced")

    answer(dispatcher, banner_for(phone))
    answer(dispatcher, banner_for(phone, delivery_id=8, title="✅ Claimed by Alice", level="quiet"))

    assert [shown["title"] for shown in sandbox.screen(phone["id"])] == ["✅ Claimed by Alice"]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_dead_token_is_dead(
    platform: str, sandbox: SandboxProcess, dispatcher: Dispatcher
) -> None:
    phone = sandbox.phone(platform, owner="Gone")
    sandbox.call("DELETE", f"/api/phones/{phone['id']}")

    got = answer(dispatcher, banner_for(phone))

    assert got.verdict is Verdict.DEAD
    if platform == "apns":
        assert got.dead_since is not None
        assert abs(got.dead_since.timestamp() - time.time()) < 60


@pytest.mark.parametrize(
    ("platform", "reason", "verdict"),
    [
        ("apns", "BadDeviceToken", Verdict.REJECTED),
        ("apns", "DeviceTokenNotForTopic", Verdict.REJECTED),
        ("apns", "PayloadTooLarge", Verdict.REJECTED),
        ("apns", "TopicDisallowed", Verdict.CREDENTIALS),
        ("apns", "InvalidProviderToken", Verdict.CREDENTIALS),
        ("apns", "Unregistered", Verdict.DEAD),
        ("apns", "TooManyProviderTokenUpdates", Verdict.RETRY),
        ("apns", "InternalServerError", Verdict.RETRY),
        ("fcm", "UNREGISTERED", Verdict.DEAD),
        ("fcm", "SENDER_ID_MISMATCH", Verdict.REJECTED),
        ("fcm", "INVALID_ARGUMENT", Verdict.REJECTED),
        ("fcm", "PERMISSION_DENIED", Verdict.CREDENTIALS),
        ("fcm", "UNAUTHENTICATED", Verdict.CREDENTIALS),
        ("fcm", "UNAVAILABLE", Verdict.RETRY),
        ("webpush", "NoSubscription", Verdict.DEAD),
        ("webpush", "InvalidToken", Verdict.DEAD),
        ("webpush", "PayloadTooLarge", Verdict.REJECTED),
        ("webpush", "InvalidEncryption", Verdict.REJECTED),
        ("webpush", "Forbidden", Verdict.CREDENTIALS),
        ("webpush", "SaveDb", Verdict.RETRY),
    ],
)
def test_a_refusal_is_read_off_the_wire(
    platform: str, reason: str, verdict: Verdict, sandbox: SandboxProcess, dispatcher: Dispatcher
) -> None:
    phone = sandbox.phone(platform, owner="Refused")
    sandbox.fault(platform, reason=reason)

    assert answer(dispatcher, banner_for(phone)).verdict is verdict


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_retry_waits_as_long_as_the_service_asks(
    platform: str, sandbox: SandboxProcess, dispatcher: Dispatcher
) -> None:
    sandbox.fault(platform, status=429, retry_after=7)

    got = answer(dispatcher, banner_for(sandbox.phone(platform)))

    assert (got.verdict, got.status, got.retry_after) == (Verdict.RETRY, 429, 7.0)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_garbage_a_flood_and_a_redirection_are_no_answers_to_trust(
    platform: str, sandbox: SandboxProcess, dispatcher: Dispatcher
) -> None:
    phone = sandbox.phone(platform)
    faults: list[dict[str, Any]] = [
        {"garbage": True, "status": 503},
        {"huge": 5_000_000, "status": 400},
        {"redirect": "https://169.254.169.254/latest/meta-data/"},
    ]
    verdicts = []
    for fault in faults:
        sandbox.fault(platform, **fault)
        verdicts.append(answer(dispatcher, banner_for(phone)).verdict)

    assert verdicts == [Verdict.RETRY, Verdict.REJECTED, Verdict.REJECTED]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_push_cut_off_after_it_arrived_is_unknown_and_arrived_once(
    platform: str, sandbox: SandboxProcess, dispatcher: Dispatcher
) -> None:
    phone = sandbox.phone(platform, owner=f"Cut off {time.time()}")
    answer(dispatcher, banner_for(phone, collapse_key="first"))
    sandbox.fault(phone["id"], reset="after")

    got = answer(dispatcher, banner_for(phone, collapse_key="second"))

    assert got.verdict is Verdict.UNKNOWN
    assert len(sandbox.screen(phone["id"])) == 2
    arrived = [banner for banner in sandbox.banners() if banner["phone_id"] == phone["id"]]
    assert len(arrived) == 2


@pytest.mark.parametrize("fault", [{"rst_stream": "REFUSED_STREAM"}, {"goaway": "NO_ERROR"}])
def test_what_the_service_surely_did_not_take_is_sent_again_at_once(
    fault: dict[str, Any], sandbox: SandboxProcess, dispatcher: Dispatcher
) -> None:
    phone = sandbox.phone("apns", owner=f"Again {time.time()}")
    answer(dispatcher, banner_for(phone, collapse_key="first"))
    if "goaway" in fault:
        fault = fault | {"last_stream": "previous"}
    sandbox.fault(phone["id"], **fault)

    got = answer(dispatcher, banner_for(phone, collapse_key="second"))

    assert got.verdict is Verdict.ACCEPTED
    assert len(sandbox.screen(phone["id"])) == 2


def test_what_is_refused_again_and_again_is_left_for_later(
    sandbox: SandboxProcess, dispatcher: Dispatcher
) -> None:
    sandbox.fault("apns", times=None, rst_stream="REFUSED_STREAM")

    got = answer(dispatcher, banner_for(sandbox.phone("apns")))

    assert (got.verdict, got.reason) == (Verdict.RETRY, "StreamRefused")


def test_one_device_that_hangs_holds_up_nobody(
    sandbox: SandboxProcess, dispatchers: Dispatchers
) -> None:
    dispatcher = dispatchers(request_seconds=4.0)
    hanging = sandbox.phone("apns", owner="Hanging")
    others = [sandbox.phone(platform, owner="Others") for platform in PLATFORMS]
    sandbox.fault(hanging["id"], hang=True)

    dispatcher.submit(banner_for(hanging, delivery_id=1), datetime.now(UTC))
    for number in range(30):
        one = banner_for(others[number % 3], delivery_id=100 + number)
        dispatcher.submit(one, datetime.now(UTC))
    order: list[Answer] = []
    until = time.monotonic() + PATIENCE
    while dispatcher.in_flight and time.monotonic() < until:
        order += dispatcher.poll(1.0)

    assert {each.verdict for each in order[:-1]} == {Verdict.ACCEPTED}
    assert (order[-1].delivery_id, order[-1].verdict) == (1, Verdict.UNKNOWN)


def test_a_token_on_its_way_holds_up_only_its_own_application(
    sandbox: SandboxProcess, dispatcher: Dispatcher
) -> None:
    sandbox.fault("oauth", delay=1.0)
    android = [banner_for(sandbox.phone("fcm"), delivery_id=number) for number in (1, 2, 3)]
    for each in (*android, banner_for(sandbox.phone("apns"), delivery_id=9)):
        dispatcher.submit(each, datetime.now(UTC))

    first: list[Answer] = []
    while not first:
        first = dispatcher.poll(1.0)
    rest: dict[int, Answer] = {}
    while dispatcher.in_flight:
        rest |= {each.delivery_id: each for each in dispatcher.poll(1.0)}

    assert [each.delivery_id for each in first] == [9]
    assert {number: each.verdict for number, each in rest.items()} == dict.fromkeys(
        (1, 2, 3), Verdict.ACCEPTED
    )


def test_one_access_token_serves_all_pushes(
    sandbox: SandboxProcess, dispatcher: Dispatcher
) -> None:
    before = sandbox.call("GET", "/healthz")["requests"]
    phone = sandbox.phone("fcm")

    answers(dispatcher, *(banner_for(phone, delivery_id=number) for number in range(40)))

    assert sandbox.call("GET", "/healthz")["requests"] - before <= 41


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        ({"status": 503}, Verdict.RETRY),
        ({"status": 400}, Verdict.CREDENTIALS),
        ({"reset": "before"}, Verdict.RETRY),
        ({"garbage": True, "status": 200}, Verdict.RETRY),
    ],
)
def test_without_a_token_every_waiting_push_comes_back(
    fault: dict[str, Any], verdict: Verdict, sandbox: SandboxProcess, dispatcher: Dispatcher
) -> None:
    phone = sandbox.phone("fcm")
    sandbox.fault("oauth", times=1, **fault)

    first = answers(dispatcher, *(banner_for(phone, delivery_id=number) for number in range(5)))
    second = answer(dispatcher, banner_for(phone, delivery_id=9))

    assert {each.verdict for each in first.values()} == {verdict}
    assert second.verdict is Verdict.ACCEPTED


def test_an_expired_push_never_leaves(sandbox: SandboxProcess, dispatcher: Dispatcher) -> None:
    phone = sandbox.phone("apns", owner="Too late")
    late = banner_for(phone, expires_at=datetime.now(UTC) - timedelta(seconds=1))

    got = answer(dispatcher, late)

    assert (got.verdict, got.reason) == (Verdict.REJECTED, "Expired")
    assert sandbox.screen(phone["id"]) == []


def test_bad_pushes_come_back_and_good_ones_beside_them_arrive(
    sandbox: SandboxProcess, dispatcher: Dispatcher
) -> None:
    phone = sandbox.phone("apns")
    stranger = phone | {"application_id": "nobody-knows-it"}
    fields = {
        1: banner_for(stranger, delivery_id=1),
        2: banner_for(phone, delivery_id=2, title="\ud83d"),
        3: banner_for(phone, delivery_id=3, level="off"),
        4: banner_for(phone | {"registration_id": "../../x"}, delivery_id=4),
        5: banner_for(phone, delivery_id=5),
    }

    got = answers(dispatcher, *fields.values())

    assert {number: (each.verdict, each.reason) for number, each in got.items()} == {
        1: (Verdict.REJECTED, "UnknownApplication"),
        2: (Verdict.REJECTED, "BadText"),
        3: (Verdict.REJECTED, "BadLevel"),
        4: (Verdict.REJECTED, "BadDeviceToken"),
        5: (Verdict.ACCEPTED, ""),
    }


def test_an_application_with_a_broken_key_waits_alone(
    sandbox: SandboxProcess, dispatchers: Dispatchers, tmp_path: Any
) -> None:
    broken = {"ios-sandbox": {"AUTH_KEY_PATH": str(tmp_path / "none.p8")}}
    dispatcher = dispatchers(credentials=broken)

    ios = answer(dispatcher, banner_for(sandbox.phone("apns")))
    web = answer(dispatcher, banner_for(sandbox.phone("webpush")))

    assert (ios.verdict, ios.reason) == (Verdict.CREDENTIALS, "KeyUnreadable")
    assert web.verdict is Verdict.ACCEPTED


def test_a_wrong_topic_or_key_never_says_anything_about_the_device(
    sandbox: SandboxProcess, dispatchers: Dispatchers
) -> None:
    phone = sandbox.phone("apns")
    for wrong in ({"TOPIC": "com.example.other"}, {"AUTH_KEY_ID": "ZZZZZZZZZZ"}):
        dispatcher = dispatchers(credentials={"ios-sandbox": wrong})
        assert answer(dispatcher, banner_for(phone)).verdict is Verdict.CREDENTIALS


def test_a_loopback_endpoint_is_not_connected_to_unless_allowed(
    sandbox: SandboxProcess, dispatchers: Dispatchers
) -> None:
    dispatcher = dispatchers(networks=[])

    got = answer(dispatcher, banner_for(sandbox.phone("webpush")))

    assert (got.verdict, got.reason) == (Verdict.RETRY, "AddressNotAllowed")


@pytest.mark.parametrize("platform", PLATFORMS)
def test_hundreds_of_pushes_all_come_back_and_all_arrive(
    platform: str, sandbox: SandboxProcess, dispatcher: Dispatcher
) -> None:
    phone = sandbox.phone(platform, owner=f"Many {time.time()}")
    many = [
        banner_for(phone, delivery_id=number, collapse_key=f"c-{number}") for number in range(300)
    ]

    got = answers(dispatcher, *many)

    assert {each.verdict for each in got.values()} == {Verdict.ACCEPTED}
    assert len(sandbox.screen(phone["id"])) == 300


def test_a_dispatcher_knows_what_it_holds(sandbox: SandboxProcess, dispatcher: Dispatcher) -> None:
    phone = sandbox.phone("apns")

    assert dispatcher.in_flight == 0
    dispatcher.submit(banner_for(phone), datetime.now(UTC))
    dispatcher.submit(banner_for(phone, delivery_id=2, level="off"), datetime.now(UTC))
    assert dispatcher.in_flight == 2
    assert dispatcher.capacity >= 100
    while dispatcher.in_flight:
        dispatcher.poll(1.0)
    assert dispatcher.poll(5.0) == []
