"""Is there one claimant? `python -m bench.claims [--rounds 300]`.

On a PostgreSQL of its own and the real web server: in each round 32 agents claim one conversation
at the same moment over HTTP, a fifth of them twice, while two more look who has it. In the round in
the middle the server is killed (SIGKILL) and started again; whoever got no answer asks again.
Then of every round: exactly one winner, whom every answer names; nobody lost before the winner
asked; nobody saw it free after anybody saw it claimed; and the books agree. Ends with 1 if not.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from statistics import median, quantiles

from bench import claimers
from bench.claimers import Agent, Round
from bench.run import machine, temporary_folder
from bench.servers import Servers, running_servers
from bench.web import serving
from pushbridge.bootstrap import PROJECT

DATABASE = "claims"
SECONDS = 120


def main(arguments: Sequence[str]) -> int:
    """Print what was found."""
    parser = argparse.ArgumentParser(prog="bench.claims", description=__doc__)
    parser.add_argument("--rounds", type=int, default=300)
    options = parser.parse_args(arguments)
    print(machine())
    with temporary_folder() as folder, running_servers(folder) as servers:
        servers.create_database(DATABASE)
        environment = environment_of(servers)
        call(environment, str(PROJECT / "manage.py"), "migrate", "-v0", "--skip-checks")
        made = json.loads(call(environment, "-m", "bench.claims_side", "seed", str(options.rounds)))
        agents = [Agent(*one) for one in made["agents"]]
        with serving(environment, folder / "web.log") as web:
            start = time.monotonic()
            rounds = claimers.play(made["conversations"], agents, port=web.port, strike=web.strike)
            seconds = time.monotonic() - start
        winners = {one.conversation: min(one.winners, default=0) for one in rounds}
        side = ("-m", "bench.claims_side", "check")
        faults = [
            *(f"{one.conversation}: {fault}" for one in rounds for fault in one.faults()),
            *json.loads(call(environment, *side, given=json.dumps(winners))),
        ]
    print(_table(rounds, seconds))
    print("\n".join(faults) or "No fault.")
    return 1 if faults else 0


def environment_of(servers: Servers) -> Mapping[str, str]:
    return {
        "SECRET_KEY": "bench",
        "DATABASE_URL": servers.cluster.url(DATABASE),
        "REDIS_URL": servers.broker.url,
        "API_USER_REQUESTS_PER_MINUTE": "1000000",
        "API_CLIENT_REQUESTS_PER_MINUTE": "10000000",
    }


def call(environment: Mapping[str, str], *arguments: str, given: str = "") -> str:
    """What something prints that is run with Pushbridge's settings and this database."""
    return subprocess.run(
        [sys.executable, "-W", "ignore", *arguments],
        cwd=PROJECT,
        env={**os.environ, **environment},
        input=given,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=SECONDS,
    ).stdout


def _table(rounds: Sequence[Round], seconds: float) -> str:
    claims = [one for each in rounds for one in each.answers if one.claims]
    looks = sum(len(each.answers) for each in rounds) - len(claims)
    waits = [(one.answered_at - one.asked_at) * 1000 for one in claims]
    return "\n".join(
        [
            "| rounds | claims | won | lost | looks | claims/s | median ms | p99 ms |",
            "|---:|---:|---:|---:|---:|---:|---:|---:|",
            f"| {len(rounds)} | {len(claims):,} | {sum(one.status == 200 for one in claims):,}"
            f" | {sum(one.status == 409 for one in claims):,} | {looks:,}"
            f" | {len(claims) / seconds:.0f} | {median(waits):.0f}"
            f" | {quantiles(waits, n=100)[98]:.0f} |",
        ]
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
