"""The control: what the gateway and the machine give when the sender costs next to nothing.

`h2load` runs before and after. Where the two figures differ much, the machine was not the same
at both ends and the run is worth little; where a system's figure comes near them, the gateway
was the limit and not the system.
"""

import json
import re
import subprocess
from pathlib import Path

from bench.gateway import Gateway

REQUESTS = 200_000
TIMEOUT_SECONDS = 120.0
_RATE = re.compile(r"finished in [\d.]+m?s, ([\d.]+) req/s")
_FAILED = re.compile(r"(\d+) failed, (\d+) errored, (\d+) timeout")


class ControlError(Exception):
    """h2load's output held no rate, or requests failed; the text is its output."""


def requests_per_second(gateway: Gateway, folder: Path, requests: int = REQUESTS) -> float:
    """Pushes a second from h2load over two connections, each with 100 requests in flight."""
    body = folder / "control-body.json"
    body.write_text(json.dumps({"aps": {"alert": {"title": "control", "body": "x" * 300}}}))
    command = ["h2load", "-n", str(requests), "-c", "2", "-m", "100", "-d", str(body)]
    command += ["-H", "apns-collapse-id: control", f"{gateway.url}/3/device/control"]
    output = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=TIMEOUT_SECONDS
    ).stdout
    return parse_rate(output)


def parse_rate(output: str) -> float:
    """The requests a second that h2load printed. Raises ControlError where any request failed."""
    rate, failed = _RATE.search(output), _FAILED.search(output)
    if rate is None or failed is None or any(int(count) for count in failed.groups()):
        raise ControlError(output)
    return float(rate.group(1))
