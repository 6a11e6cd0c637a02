"""What do listeners cost, and when do they hear? `python -m bench.stream [--listeners 500]`.

On a PostgreSQL of its own and the real web server, one process of it. First streams are open and
nothing happens: the server's CPU and memory, and what it asks PostgreSQL. Then agents claim one
conversation after the other over HTTP, and every stream hears of every claim: how long after the
request was sent, so with the claim itself, its commit, and the way to the last of them.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection
from statistics import median, quantiles

import psutil

from bench.claimers import Agent
from bench.claims import call, environment_of
from bench.processes import cpu_seconds
from bench.run import machine, temporary_folder
from bench.servers import Servers, running_servers
from bench.web import Web, serving
from pushbridge.bootstrap import PROJECT

DATABASE = "stream"
ORG = "acme"
CLAIMS = 100
PAUSE = 0.2
SETTLE = 3.0
HEADER = "| streams | CPU % of a core | memory MiB | PostgreSQL transactions/s | sessions |"


@dataclass(slots=True)
class Streams:
    """Open streams, and when each of them heard of which conversation's claim."""

    port: int
    heard: list[tuple[str, float]] = field(default_factory=list)
    open: int = 0

    async def listen(self, token: str) -> None:
        """One stream, until it is cancelled."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        request = [
            f"GET /api/v1/{ORG}/stream/ HTTP/1.1",
            "Host: 127.0.0.1",
            f"Authorization: Bearer {token}",
        ]
        writer.write("\r\n".join([*request, "", ""]).encode())
        try:
            if b" 200 " not in await reader.readline():
                raise RuntimeError("a stream was refused")
            self.open += 1
            while line := await reader.readline():
                if line.startswith(b"data: ") and b'"conversation.claimed"' in line:
                    found = json.loads(line[6:])["conversation"]["id"]
                    self.heard.append((found, time.monotonic()))
        finally:
            writer.close()


@dataclass(frozen=True, slots=True)
class Reading:
    """What has been used up so far."""

    at: float
    cpu: float
    transactions: int

    @classmethod
    def take(cls, servers: Servers, web: Web) -> "Reading":
        asked = "SELECT xact_commit FROM pg_stat_database WHERE datname = 'stream'"
        return cls(time.monotonic(), cpu_seconds([web.pid]), servers.count(DATABASE, asked))


def main(arguments: Sequence[str]) -> int:
    """Print what was measured."""
    parser = argparse.ArgumentParser(prog="bench.stream", description=__doc__)
    parser.add_argument("--listeners", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=20.0, help="of idleness")
    options = parser.parse_args(arguments)
    print(machine(), HEADER, "|---:|---:|---:|---:|---:|", sep="\n")
    with temporary_folder() as folder, running_servers(folder) as servers:
        servers.create_database(DATABASE)
        environment = {**environment_of(servers), "DATABASE_URL": servers.cluster.url(DATABASE)}
        call(environment, str(PROJECT / "manage.py"), "migrate", "-v0", "--skip-checks")
        made = json.loads(call(environment, "-m", "bench.claims_side", "seed", str(CLAIMS)))
        agents = [Agent(*one) for one in made["agents"]]
        with serving(environment, folder / "web.log") as web:
            for number in sorted({0, 1, options.listeners}):
                asyncio.run(_measure(servers, web, agents, number, options.seconds))
            print(asyncio.run(_hear(web, agents, made["conversations"], options.listeners)))
    return 0


async def _open(web: Web, agents: Sequence[Agent], number: int) -> tuple[Streams, list[object]]:
    streams = Streams(web.port)
    tasks: list[object] = []
    for one in range(number):
        token = agents[one % len(agents)].token
        tasks.append(asyncio.create_task(streams.listen(token)))
        while streams.open <= one:
            await asyncio.sleep(0.001)
    await asyncio.sleep(SETTLE)
    return streams, tasks


async def _measure(
    servers: Servers, web: Web, agents: Sequence[Agent], number: int, seconds: float
) -> None:
    """So many streams are open, and nothing happens."""
    _, tasks = await _open(web, agents, number)
    before = Reading.take(servers, web)
    await asyncio.sleep(seconds)
    after = Reading.take(servers, web)
    past = after.at - before.at
    sessions = servers.count(
        DATABASE, "SELECT count(*) - 1 FROM pg_stat_activity WHERE datname = 'stream'"
    )
    print(
        f"| {number} | {(after.cpu - before.cpu) / past * 100:.1f} | {_memory(web):.0f}"
        f" | {(after.transactions - before.transactions) / past:.1f} | {sessions} |"
    )
    del tasks


async def _hear(
    web: Web, agents: Sequence[Agent], conversations: Sequence[str], number: int
) -> str:
    """How long each stream waits for each claim."""
    streams, tasks = await _open(web, agents, number)
    sent: dict[str, float] = {}
    for place, one in enumerate(conversations):
        sent[one] = time.monotonic()
        await asyncio.to_thread(_claim, web.port, agents[place % len(agents)], one)
        await asyncio.sleep(PAUSE)
    await asyncio.sleep(SETTLE)
    waits = [(at - sent[one]) * 1000 for one, at in streams.heard]
    wanted = number * len(conversations)
    del tasks
    return (
        f"\n{len(waits):,} of {wanted:,} claims were heard: median {median(waits):.0f} ms,"
        f" p99 {quantiles(waits, n=100)[98]:.0f} ms, at most {max(waits):.0f} ms."
    )


def _claim(port: int, agent: Agent, conversation: str) -> None:
    with closing(HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request(
            "POST",
            f"/api/v1/{ORG}/conversations/{conversation}/claim/",
            headers={"Authorization": f"Bearer {agent.token}", "Content-Length": "0"},
        )
        answer = connection.getresponse()
        if answer.status != 200:
            raise RuntimeError(f"a claim was answered {answer.status}: {answer.read()!r}")


def _memory(web: Web) -> float:
    """Of the server's processes, in MiB, without what they share."""
    root = psutil.Process(web.pid)
    found = (root, *root.children(recursive=True))
    return sum(one.memory_full_info().uss for one in found) / 2**20


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
