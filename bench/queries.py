"""How many statements a system sends PostgreSQL, counted by PostgreSQL itself.

The server's own log of every statement, BEGIN and COMMIT included, is the same yardstick for the
ORM, for SQL by hand and for whatever library: one line is one round trip. It is on only while this
counts, since writing it takes time.
"""

import re
import time
from collections.abc import Callable

from bench.servers import Servers

# Time for sessions to hear of a setting, and for a system to settle what it has sent.
PAUSE_SECONDS = 1.0


def count_statements(servers: Servers, database: str, work: Callable[[], object]) -> int:
    """The statements in this database while `work` goes on and shortly after."""
    servers.log_statements(True)
    time.sleep(PAUSE_SECONDS)
    start = servers.postgres_log.stat().st_size
    work()
    time.sleep(PAUSE_SECONDS)
    servers.log_statements(False)
    with servers.postgres_log.open("rb") as log:
        log.seek(start)
        return parse_statements(log.read().decode(errors="replace"), database)


def parse_statements(log: str, database: str) -> int:
    """The lines that begin a statement of this database, sent as text or as prepared."""
    pattern = rf"^database={re.escape(database)} LOG:  (?:statement|execute [^:]+): "
    return len(re.findall(pattern, log, re.MULTILINE))
