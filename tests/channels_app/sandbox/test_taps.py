"""A button is tapped with the app closed: what the app's server hears, what the screen shows."""

import http.server
import json
import threading
import urllib.error
from collections.abc import Iterator
from typing import Any

import pytest

from channels_app.sandbox.process import SandboxProcess, running
from tests.channels_app.sandbox.senders import Senders, alert

TOKEN = "7.6f96.12.1:1vN0Gk:c2lnbmF0dXJl"
Phone = dict[str, Any]


class AppServer(http.server.ThreadingHTTPServer):
    """The server of the app on the phones; answers as it is told to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.heard: list[tuple[str, Any]] = []
        self.status, self.answer = 200, '{"state": "claimed"}'

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: AppServer

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append((self.path, json.loads(content)))
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(self.server.answer.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def app_server() -> Iterator[AppServer]:
    server = AppServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    thread.join(10)
    server.server_close()


@pytest.fixture(scope="module")
def sandbox(
    app_server: AppServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SandboxProcess]:
    with running(tmp_path_factory.mktemp("taps"), app_url=app_server.url) as process:
        yield process


@pytest.fixture
def phone(sandbox: SandboxProcess, app_server: AppServer) -> Phone:
    app_server.heard.clear()
    app_server.status = 200
    found = sandbox.phone("apns", name="Alice's iPhone")
    sandbox.call("DELETE", f"/api/phones/{found['id']}/banners")
    return found


def show(sandbox: SandboxProcess, phone: Phone, **data: Any) -> int:
    """A banner with the buttons of an escalation; its number."""
    aps = alert("🆘 Customer escalation: Bot X", category="ESCALATION")
    Senders(sandbox).send(Senders(sandbox).apns(phone, {"aps": aps, "body": data}))
    number: int = sandbox.screen(phone["id"])[0]["seq"]
    return number


def tap(sandbox: SandboxProcess, phone: Phone, seq: object, action: object = "claim") -> Any:
    return sandbox.call("POST", f"/api/phones/{phone['id']}/taps", {"seq": seq, "action": action})


def test_the_apps_server_gets_the_token_and_what_proves_the_device(
    sandbox: SandboxProcess, app_server: AppServer, phone: Phone
) -> None:
    seq = show(sandbox, phone, action_token=TOKEN)
    answer = tap(sandbox, phone, seq)
    assert answer == {"status": 200, "answer": '{"state": "claimed"}'}
    assert app_server.heard == [
        (
            "/api/v1/actions/claim/",
            {
                "action_token": TOKEN,
                "installation_id": phone["installation_id"],
                "installation_secret": phone["installation_secret"],
            },
        )
    ]


def refusal_of(sandbox: SandboxProcess, phone: Phone, seq: object, action: object) -> Any:
    """The status and the words with which a tap is refused."""
    with pytest.raises(urllib.error.HTTPError) as refusal:
        tap(sandbox, phone, seq, action)
    with refusal.value as answer:
        return answer.code, answer.read().decode()


@pytest.mark.parametrize("status", [200, 409])
def test_a_banner_whose_button_was_tapped_goes_from_the_screen(
    sandbox: SandboxProcess, app_server: AppServer, phone: Phone, status: int
) -> None:
    app_server.status = status
    assert tap(sandbox, phone, show(sandbox, phone, action_token=TOKEN))["status"] == status
    assert sandbox.screen(phone["id"]) == []


def test_every_phone_has_a_keychain_of_its_own_which_the_wall_does_not_show(
    sandbox: SandboxProcess,
) -> None:
    one, other = (sandbox.phone("fcm", name=name) for name in ("One", "Other"))
    assert one["installation_id"] != other["installation_id"]
    assert one["installation_secret"] != other["installation_secret"]
    assert sandbox.phone("fcm", name="One")["installation_id"] == one["installation_id"]
    assert "installation_secret" not in json.dumps(sandbox.call("GET", "/api/wall"))


@pytest.mark.parametrize(
    ("seq", "action", "status"),
    [
        (None, "claim", 404),
        ("1", "claim", 404),
        (10**9, "claim", 404),
        (0, "view", 501),
        (0, "no such button", 400),
        (0, 7, 400),
    ],
)
def test_what_cannot_be_tapped_changes_nothing(
    sandbox: SandboxProcess,
    app_server: AppServer,
    phone: Phone,
    seq: object,
    action: object,
    status: int,
) -> None:
    shown = show(sandbox, phone, action_token=TOKEN)
    code, _ = refusal_of(sandbox, phone, shown if seq == 0 else seq, action)
    assert code == status
    assert len(sandbox.screen(phone["id"])) == 1 and not app_server.heard


def test_a_banner_without_a_token_cannot_claim(sandbox: SandboxProcess, phone: Phone) -> None:
    assert refusal_of(sandbox, phone, show(sandbox, phone), "claim")[0] == 501


def test_without_a_server_of_the_app_the_sandbox_says_so(running_sandbox: SandboxProcess) -> None:
    phone = running_sandbox.phone("apns", name="No server")
    seq = show(running_sandbox, phone, action_token=TOKEN)
    code, words = refusal_of(running_sandbox, phone, seq, "claim")
    assert code == 501 and "--app-url" in words
