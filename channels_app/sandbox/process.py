"""The sandbox as a child process, for tests and drills."""

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

START_SECONDS = 20.0
STOP_SECONDS = 5.0
PROJECT = Path(__file__).resolve().parents[2]
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Past any proxy of the environment: the sandbox is on this machine."""


class SandboxDidNotStart(RuntimeError):
    """The child ended, or did not answer in time; the message has its last words."""


@dataclass(frozen=True, slots=True)
class SandboxProcess:
    """A running sandbox: where it is, and the files that its clients need."""

    url: str
    page_url: str
    state: Path
    pid: int

    @property
    def applications_file(self) -> Path:
        """The credentials, as `PUSH_APPLICATIONS_FILE` wants them."""
        return self.state / "applications.json"

    @property
    def ca_file(self) -> Path:
        """What to trust, as `GATEWAY_CA_FILE` wants it."""
        return self.state / "ca.pem"

    def call(self, method: str, path: str, content: Any = None) -> Any:
        """One call of the page's API; the decoded JSON, or None without a body.

        Raises urllib.error.HTTPError for an error status.
        """
        request = urllib.request.Request(
            f"{self.page_url}{path}",
            method=method,
            data=None if content is None else json.dumps(content).encode(),
        )
        with DIRECT.open(request, timeout=10) as response:
            body = response.read()
        return json.loads(body) if body else None

    def phone(
        self, platform: str, *, owner: str = "Alice", name: str = "", application_id: str = ""
    ) -> dict[str, Any]:
        """Enroll a phone, or find the one of that owner and name."""
        content = {
            "platform": platform,
            "owner": owner,
            "name": name or f"{owner}'s {platform} phone",
            "application_id": application_id,
        }
        phone: dict[str, Any] = self.call("POST", "/api/phones", content)
        return phone

    def fault(self, scope: str, times: int | None = 1, *, skip: int = 0, **fault: Any) -> None:
        """Order a fault, as docs/sandbox.md describes it."""
        order = {"scope": scope, "fault": fault, "times": times, "skip": skip}
        self.call("POST", "/api/faults", order)

    def clear_faults(self) -> None:
        """Play no more faults."""
        self.call("DELETE", "/api/faults")

    def banners(self, after: int = 0) -> list[dict[str, Any]]:
        """All arrivals after a sequence number, oldest first."""
        found: list[dict[str, Any]] = self.call("GET", f"/api/banners?after={after}")
        return found

    def screen(self, phone_id: str) -> list[dict[str, Any]]:
        """What one phone shows, newest first."""
        found: list[dict[str, Any]] = self.call("GET", f"/api/phones/{phone_id}/banners")
        return found


def free_port() -> int:
    """A TCP port on loopback that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(
    state: Path, *, port: int = 0, page_port: int = 0, app_url: str = ""
) -> Iterator[SandboxProcess]:
    """Start the sandbox on `state`, wait until it answers, and stop it at the end.

    Ports that are not given are chosen. Raises SandboxDidNotStart.
    """
    port, page_port = port or free_port(), page_port or free_port()
    arguments = ("--state", str(state), "--port", str(port), "--page-port", str(page_port))
    server = ("--app-url", app_url) if app_url else ()
    state.mkdir(parents=True, exist_ok=True)
    log = state / "sandbox.log"
    with log.open("ab") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "channels_app.sandbox", *arguments, *server],
            cwd=PROJECT,
            stdout=output,
            stderr=output,
        )
    try:
        page_url = f"http://127.0.0.1:{page_port}"
        _wait_for(f"{page_url}/healthz", child, log)
        yield SandboxProcess(f"https://127.0.0.1:{port}", page_url, state, child.pid)
    finally:
        _stop(child)


def _wait_for(url: str, child: "subprocess.Popen[bytes]", log: Path) -> None:
    give_up = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up and child.poll() is None:
        try:
            with DIRECT.open(url, timeout=1):
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.05)
    raise SandboxDidNotStart(log.read_text()[-2000:])


def _stop(child: "subprocess.Popen[bytes]") -> None:
    child.terminate()
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
