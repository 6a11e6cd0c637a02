"""`python -m pushbridge.serve`: the web server, as every deployment runs it.

`docs/decisions/web-server.md` says why this one and why these limits.
"""

from __future__ import annotations

import argparse
import os

from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import Server

# Slow clients are cheap here, but they hold their connection until one of the deadlines.
CONNECTIONS = 4096
HEADER_SECONDS = 10
# Bodies are read in pieces of this size at most, and headers may have this size in all.
BUFFER_BYTES = 64 * 1024
# A request that is being answered when the server is told to stop has this long; without a limit
# granian waits for ever for a process that was told to end while it was starting.
GRACE_SECONDS = 5


def main(arguments: list[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    os.environ["PUSHBRIDGE_WEB_THREADS"] = str(options.threads)
    os.environ["PUSHBRIDGE_WEB_PEOPLE_THREADS"] = str(options.people_threads)
    Server(
        "pushbridge.rsgi:application",
        address=options.host,
        port=options.port,
        interface=Interfaces.RSGI,
        # One request at a time on each connection, which is what the limits above count.
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(
            header_read_timeout=HEADER_SECONDS * 1000, max_buffer_size=BUFFER_BYTES
        ),
        websockets=False,
        workers=options.workers,
        backlog=1024,
        backpressure=CONNECTIONS,
        loop=Loops.asyncio,
        workers_kill_timeout=GRACE_SECONDS,
        respawn_failed_workers=True,
        log_level=LogLevels.warning,
    ).serve()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pushbridge.serve", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument(
        "--threads",
        type=int,
        default=8,
        help="of each process that answer webhooks; each has a connection to PostgreSQL",
    )
    parser.add_argument(
        "--people-threads",
        type=int,
        default=2,
        help="of each process that answer everything else; each has a connection to PostgreSQL",
    )
    return parser


if __name__ == "__main__":
    main()
