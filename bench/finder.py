"""What does looking for stuck steps cost? `python -m bench.finder [--rounds 50]`.

On a PostgreSQL of its own, as durable as in production, with 1,000, 10,000 and 100,000 steps that
run, and three completed ones for each: the milliseconds that the finder takes while none is due,
and when ten are (each becomes an event of its own). And those of what else a sweep does for
workflows: learning from what was completed, and looking what moves again. Medians, and the longest
in brackets.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence

from bench.run import machine, temporary_folder
from bench.servers import Servers, running_servers
from pushbridge.bootstrap import PROJECT

DATABASE = "finder"
SECONDS = 600


def main(arguments: Sequence[str]) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="bench.finder", description=__doc__)
    parser.add_argument("--rounds", type=int, default=50, help="of each measurement")
    options = parser.parse_args(arguments)
    print(machine())
    with temporary_folder() as folder, running_servers(folder) as servers:
        servers.create_database(DATABASE)
        call(servers, str(PROJECT / "manage.py"), "migrate", "--verbosity", "0", "--skip-checks")
        call(servers, "-m", "bench.finder_side", str(options.rounds))
    return 0


def call(servers: Servers, *arguments: str) -> None:
    """Run something with Pushbridge's settings and this database."""
    environment = {
        **os.environ,
        "SECRET_KEY": "bench",
        "DATABASE_URL": servers.cluster.url(DATABASE),
        "REDIS_URL": servers.broker.url,
    }
    subprocess.run(
        [sys.executable, "-W", "ignore", *arguments],
        cwd=PROJECT,
        env=environment,
        check=True,
        timeout=SECONDS,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
