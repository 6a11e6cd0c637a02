"""The PostgreSQL and the Valkey that both systems use in turns, as durable as in production."""

import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import redis
from psycopg2 import sql

from bench.processes import running
from pushbridge.bootstrap import PROJECT
from pushbridge.embedded import postgres, valkey
from pushbridge.embedded.processes import free_port


@dataclass(frozen=True, slots=True)
class Servers:
    """Both servers, running: where, their processes, and PostgreSQL's log."""

    cluster: postgres.Cluster
    broker: valkey.Broker
    postgres_pid: int
    broker_pid: int
    postgres_log: Path

    def create_database(self, name: str, template: str = "template1") -> None:
        """A fresh database: empty, or a copy of one that nobody is connected to."""
        self._administer(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )

    def drop_database(self, name: str) -> None:
        """Remove it, with whoever is still connected."""
        self._administer(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def analyze(self, name: str) -> None:
        """Let the planner know the seeded tables, as it would in a system that has run a while."""
        self._execute(name, sql.SQL("VACUUM ANALYZE"))

    def count(self, name: str, query: str) -> int:
        """The one number that a query gives."""
        url = self.cluster.url(name)
        with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
            cursor.execute(query)
            row = cursor.fetchone()
            return int(row[0]) if row else 0

    def log_statements(self, whether: bool) -> None:
        """Have PostgreSQL write down every statement of every session, or stop that."""
        self._administer(sql.SQL("ALTER SYSTEM SET log_line_prefix = 'database=%d '"))
        value = sql.Literal("all" if whether else "none")
        self._administer(sql.SQL("ALTER SYSTEM SET log_statement = {}").format(value))
        self._administer(sql.SQL("SELECT pg_reload_conf()"))

    def empty_broker(self) -> None:
        """Forget whatever the last system left in its queues."""
        with closing(redis.Redis.from_url(self.broker.url)) as client:
            client.flushall()

    def _administer(self, statement: sql.Composable) -> None:
        self._execute(postgres.DATABASE, statement)

    def _execute(self, database: str, statement: sql.Composable) -> None:
        with closing(psycopg2.connect(self.cluster.url(database))) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)


@contextmanager
def running_servers(folder: Path) -> Iterator[Servers]:
    """Both servers on data of their own in `folder`, stopped at the end."""
    cluster = _cluster(folder)
    postgres.initialize(cluster)
    broker = valkey.Broker(
        folder=folder / "valkey", port=free_port(), password=secrets.token_urlsafe(24), durable=True
    )
    database, queue = postgres.service(cluster), valkey.service(broker)
    with running(queue, folder) as valkey_server, running(database, folder) as postgres_server:
        valkey.wait_until_ready(broker, valkey_server)
        postgres.wait_until_ready(cluster, postgres_server)
        log = folder / f"{database.name}.log"
        yield Servers(cluster, broker, postgres_server.pid, valkey_server.pid, log)


def _cluster(folder: Path) -> postgres.Cluster:
    data = folder / "postgres"
    account = postgres.account_for(data, PROJECT)
    return postgres.Cluster(
        data=data,
        installation=postgres.reachable_installation(postgres.installation(), account, folder),
        password=secrets.token_urlsafe(24),
        port=free_port(),
        account=account,
        durable=True,
    )
