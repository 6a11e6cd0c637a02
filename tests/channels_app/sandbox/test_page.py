"""The page: served safely, live, and never fooled by what a push says."""

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import pytest

from channels_app.sandbox.process import DIRECT, SandboxProcess
from tests.channels_app.sandbox.senders import Senders

Phone = Mapping[str, Any]


def _get(sandbox: SandboxProcess, path: str) -> tuple[Mapping[str, str], str]:
    with DIRECT.open(f"{sandbox.page_url}{path}", timeout=10) as response:
        return dict(response.headers), response.read().decode()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html"),
        ("/static/page.css", "text/css"),
        ("/static/wall.js", "text/javascript"),
    ],
)
def test_the_page_is_served_with_a_strict_policy(
    sandbox: SandboxProcess, path: str, kind: str
) -> None:
    headers, _ = _get(sandbox, path)
    assert headers["Content-Type"].startswith(kind)
    assert "default-src 'none'; script-src 'self'" in headers["Content-Security-Policy"]


def test_the_page_needs_nothing_from_elsewhere(sandbox: SandboxProcess) -> None:
    _, page = _get(sandbox, "/")
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")


@pytest.mark.parametrize(
    "path", ["/static/../page.py", "/static/..%2Fpage.py", "/static/nope.js", "/nope"]
)
def test_no_other_file_is_served(sandbox: SandboxProcess, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refusal:
        _get(sandbox, path)
    with refusal.value as answer:
        assert answer.code == 404


def test_what_a_push_says_is_never_read_as_html(
    sandbox: SandboxProcess, senders: Senders, browser: Phone
) -> None:
    """The text goes out as JSON only, with a type that no browser sniffs as a page."""
    senders.send(senders.webpush(browser, {"title": "<img src=x onerror=alert(1)>"}))
    headers, _ = _get(sandbox, f"/api/phones/{browser['id']}/banners")
    assert headers["Content-Type"].startswith("application/json")
    assert headers["X-Content-Type-Options"] == "nosniff"
    for script in ("wall.js", "devices.js", "cards.js", "details.js", "dom.js"):
        _, source = _get(sandbox, f"/static/{script}")
        assert "innerHTML" not in source and "insertAdjacentHTML" not in source


def test_another_sites_page_may_change_nothing(sandbox: SandboxProcess) -> None:
    request = urllib.request.Request(
        f"{sandbox.page_url}/api/faults", method="DELETE", headers={"Origin": "http://evil.example"}
    )
    with pytest.raises(urllib.error.HTTPError) as refusal:
        DIRECT.open(request, timeout=10)
    with refusal.value as answer:
        assert answer.code == 403


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff"])
def test_what_is_no_json_object_is_refused(sandbox: SandboxProcess, body: bytes) -> None:
    request = urllib.request.Request(f"{sandbox.page_url}/api/phones", method="POST", data=body)
    with pytest.raises(urllib.error.HTTPError) as refusal:
        DIRECT.open(request, timeout=10)
    with refusal.value as answer:
        assert answer.code == 400
        assert answer.headers["Content-Type"].startswith("application/problem+json")


def test_the_wall_is_one_snapshot(sandbox: SandboxProcess, senders: Senders, iphone: Phone) -> None:
    senders.send(senders.apns(iphone))
    wall = sandbox.call("GET", "/api/wall")
    [mine] = [phone for phone in wall["phones"] if phone["id"] == iphone["id"]]
    assert wall["seq"] == mine["banners"][0]["seq"]
    assert mine["counts"]["accepted"] == 1


def _event(response: http.client.HTTPResponse) -> tuple[str, Any]:
    name = ""
    while True:
        line = response.readline().decode().rstrip("\n")
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            return name, json.loads(line.removeprefix("data: "))


def test_arrivals_are_streamed_as_they_come(
    sandbox: SandboxProcess, senders: Senders, iphone: Phone
) -> None:
    connection = http.client.HTTPConnection(urlsplit(sandbox.page_url).netloc, timeout=10)
    connection.request("GET", "/api/stream")
    with connection.getresponse() as response:
        response.readline()
        senders.send(senders.apns(iphone))
        name, arrival = _event(response)
    connection.close()
    assert (name, arrival["phone_id"]) == ("banner", iphone["id"])


def test_whoever_comes_back_gets_what_was_missed(
    sandbox: SandboxProcess, senders: Senders, iphone: Phone
) -> None:
    last = sandbox.call("GET", "/healthz")["seq"]
    senders.send(senders.apns(iphone))
    connection = http.client.HTTPConnection(urlsplit(sandbox.page_url).netloc, timeout=10)
    connection.request("GET", "/api/stream", headers={"Last-Event-ID": str(last)})
    with connection.getresponse() as response:
        name, arrival = _event(response)
    connection.close()
    assert (name, arrival["seq"]) == ("banner", last + 1)
