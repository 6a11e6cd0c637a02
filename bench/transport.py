"""Which HTTP/2 client? `python -m bench.transport [--rounds 5] [--count 20000] [--width 100]`.

Every client that is installed sends the same APNs requests to every server that is installed, in
turns, each time in a process of its own; the medians are printed as the table of
docs/decisions/http2-transport.md, with h2load's figures as the floor. Most of the clients are not
among Pushbridge's requirements: `uv pip install 'httpx[http2]' niquests pyreqwest wreq`.
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from importlib.util import find_spec
from pathlib import Path

from bench.transport_clients import BODY, CLIENTS, HEADERS, path
from bench.transport_servers import Server, installed, serving

SECONDS = 60
SLOW = {"aioapns", "niquests", "httpx"}
"""These get a tenth of the requests: they would take minutes for the same figure."""
_RATE = re.compile(r"finished in [\d.]+m?s, ([\d.]+) req/s")


def run_client(name: str, server: Server, count: int, width: int) -> tuple[float, float] | None:
    """Requests per second and microseconds of CPU per request; None if the client fails."""
    count = count // 10 if name in SLOW else count
    arguments = (name, server.url, server.ca_file, str(count), str(width))
    try:
        done = subprocess.run(
            [sys.executable, "-m", "bench.transport_clients", *arguments],
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired:
        print(f"{name} hangs with {server.name}", file=sys.stderr)
        return None
    if done.returncode:
        print(f"{name} fails with {server.name}: {done.stderr[-300:]}", file=sys.stderr)
        return None
    found = json.loads(done.stdout)
    return found["per_second"], found["cpu_microseconds"]


def run_h2load(server: Server, count: int, width: int, folder: Path) -> float:
    """What the server gives to a client in C on one connection, requests per second."""
    body = folder / "body.json"
    body.write_bytes(BODY)
    headers = [part for name, value in HEADERS.items() for part in ("-H", f"{name}: {value}")]
    options = ["-n", str(count * 5), "-c", "1", "-m", str(width), "-d", str(body)]
    output = subprocess.run(
        ["h2load", *options, *headers, server.url + path(0)],
        capture_output=True,
        check=True,
        text=True,
        timeout=SECONDS,
    ).stdout
    found = _RATE.search(output)
    if found is None:
        raise RuntimeError(output)
    return float(found[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--width", type=int, default=100)
    given = parser.parse_args()
    clients = [name for name in CLIENTS if find_spec(name)]
    rates: dict[tuple[str, str], list[float]] = defaultdict(list)
    costs: dict[tuple[str, str], list[float]] = defaultdict(list)
    servers = installed()
    for server_name in servers:
        with tempfile.TemporaryDirectory() as folder, serving(server_name, Path(folder)) as server:
            able = list(clients)
            for _ in range(given.rounds):
                rates["h2load (C)", server_name].append(
                    run_h2load(server, given.count, given.width, Path(folder))
                )
                for client in list(able):
                    found = run_client(client, server, given.count, given.width)
                    if found is None:
                        able.remove(client)
                    else:
                        rates[client, server_name].append(found[0])
                        costs[client, server_name].append(found[1])
            print(table(["h2load (C)", *clients], [server_name], rates, costs), file=sys.stderr)
    print(table(["h2load (C)", *clients], servers, rates, costs))


def table(
    clients: list[str],
    servers: list[str],
    rates: dict[tuple[str, str], list[float]],
    costs: dict[tuple[str, str], list[float]],
) -> str:
    """Markdown: per server, requests per second and CPU microseconds per request, medians."""
    lines = [
        "| client | " + " | ".join(f"{server}: req/s | µs" for server in servers) + " |",
        "|---|" + "---:|---:|" * len(servers),
    ]
    for client in clients:
        cells = []
        for server in servers:
            key = (client, server)
            rate = f"{round(statistics.median(rates[key]), -2):,.0f}" if rates[key] else "fails"
            cells.append(rate)
            cells.append(f"{statistics.median(costs[key]):,.0f}" if costs[key] else "")
        lines.append(f"| {client} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
