"""`manage.py up`: the whole system on this machine, until Ctrl-C."""

from __future__ import annotations

import argparse
import errno
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from pushbridge.bootstrap import PROJECT
from pushbridge.embedded import postgres, services, valkey
from pushbridge.embedded.home import (
    Home,
    Kept,
    Running,
    forget_running,
    last_lines,
    only_copy,
    open_home,
    read_kept,
    write_environment,
    write_kept,
    write_running,
)
from pushbridge.embedded.preflight import (
    SCRATCH_PREFIX,
    require_port,
    require_space,
    stop_leftovers,
)
from pushbridge.embedded.processes import Fault, Record, Service, free_port, record
from pushbridge.embedded.scratch import scratch_folder
from pushbridge.embedded.supervisor import Supervisor, say

# Several Pythons start at once, perhaps on a slow or busy machine; who dies is noticed before.
READY_SECONDS = 180.0
DRAIN_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Options:
    host: str
    port: int
    verbose: bool

    @property
    def url(self) -> str:
        """Where a browser on this machine finds it."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "") else self.host
        return f"http://{host}:{self.port}"


def main(arguments: Sequence[str]) -> int:
    """Serve until Ctrl-C, SIGTERM or a closed terminal: 0. 1 after a sentence that says why not."""
    options = _parse(arguments)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        home = open_home()
        with only_copy(home):
            _serve(home, options)
    except Fault as fault:
        print(f"pushbridge: {fault}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"pushbridge: {_plainly(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


def _parse(arguments: Sequence[str]) -> Options:
    parser = argparse.ArgumentParser(prog="manage.py up", description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="of the web server (8000)")
    parser.add_argument("--host", default="127.0.0.1", help="to listen on (127.0.0.1)")
    parser.add_argument("--verbose", action="store_true", help="show every line of every log")
    given = parser.parse_args(arguments)
    return Options(given.host, given.port, given.verbose)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _plainly(error: OSError) -> str:
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return f"the disk is full ({error.filename or PROJECT})."
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return (
                f"cannot write {error.filename}: {error.strerror}. If another user started it"
                " before, start it as that user, or name another folder with PUSHBRIDGE_VAR."
            )
    return str(error)


def _serve(home: Home, options: Options) -> None:
    began = time.monotonic()
    stop_leftovers(home)
    require_port(options.host, options.port)
    require_space(home)
    with (
        scratch_folder(SCRATCH_PREFIX) as scratch,
        _supervisor(home, options, scratch) as supervisor,
    ):
        try:
            _start_all(home, options, scratch, supervisor)
            say(_table(home, options, time.monotonic() - began))
            supervisor.watch()
        finally:
            say("\nStopping …")
            ours = [service.name for service in services.workers({})]
            supervisor.stop([["web", "scheduler", *ours], ["sandbox"]], patience=DRAIN_SECONDS)
            say("Stopped.")


@contextmanager
def _supervisor(home: Home, options: Options, scratch: Path) -> Iterator[Supervisor]:
    """A supervisor that writes down whom it starts; what it wrote goes after an orderly end."""
    ourselves = record("up", os.getpid())

    def write_down(children: Sequence[Record]) -> None:
        write_running(home, Running(options.url, str(scratch), (ourselves, *children)))

    write_down([])
    try:
        yield Supervisor(logs=home.logs, say=say, changed=write_down, verbose=options.verbose)
    finally:
        forget_running(home)


def _start_all(home: Home, options: Options, scratch: Path, supervisor: Supervisor) -> None:
    """Everything, in the order in which one needs the other. Raises Fault."""
    has_sandbox = not os.environ.get("PUSH_APPLICATIONS_FILE")
    kept = _keep_ports(home)
    database_url = os.environ.get("DATABASE_URL") or _postgres(home, kept, scratch, supervisor)
    redis_url = os.environ.get("REDIS_URL") or _valkey(home, kept, supervisor)
    environment = services.child_environment(home)
    settings = services.settings(
        home,
        kept,
        public_url=options.url,
        database_url=database_url,
        redis_url=redis_url,
        sandbox=has_sandbox,
    )
    write_environment(home, settings)
    if has_sandbox:
        page = f"http://127.0.0.1:{kept.sandbox_page_port}/healthz"
        process = supervisor.add(services.sandbox(home, kept, environment, app_url=options.url))
        _wait_for(page, process, home.logs / "sandbox.log")
    _prepare(home, services.preparation(environment))
    web = supervisor.add(services.web(options.host, options.port, environment))
    for worker in services.workers(environment):
        supervisor.add(worker)
    supervisor.add(services.scheduler(home, environment))
    _wait_for(f"{options.url}/readyz", web, home.logs / "web.log")


def _keep_ports(home: Home) -> Kept:
    """The ports of the last start, where they are still free."""
    kept = read_kept(home)
    wanted = kept.sandbox_port
    kept.database_port = free_port(kept.database_port)
    kept.broker_port = free_port(kept.broker_port)
    kept.sandbox_port = free_port(wanted)
    kept.sandbox_page_port = free_port(kept.sandbox_page_port)
    if kept.sandbox_port != wanted and home.sandbox.exists():
        say(
            f"Port {wanted} is taken: the sandbox moves to {kept.sandbox_port}."
            " Its browsers must be registered again (their address has the port in it)."
        )
    write_kept(home, kept)
    return kept


def _postgres(home: Home, kept: Kept, scratch: Path, supervisor: Supervisor) -> str:
    data = home.folder / "postgres"
    account = postgres.account_for(data, PROJECT)
    cluster = postgres.Cluster(
        data=data,
        installation=postgres.reachable_installation(postgres.installation(), account, scratch),
        password=kept.database_password,
        port=kept.database_port,
        account=account,
        durable=True,
    )
    postgres.initialize(cluster)
    process = supervisor.add(postgres.service(cluster))
    _explained(lambda: postgres.wait_until_ready(cluster, process), home.logs / "postgresql.log")
    return cluster.url()


def _valkey(home: Home, kept: Kept, supervisor: Supervisor) -> str:
    broker = valkey.Broker(
        folder=home.folder / "valkey",
        port=kept.broker_port,
        password=kept.broker_password,
        durable=True,
    )
    process = supervisor.add(valkey.service(broker))
    _explained(lambda: valkey.wait_until_ready(broker, process), home.logs / "valkey.log")
    return broker.url


def _explained(wait: Callable[[], None], log: Path) -> None:
    """Add the last words of its log to the Fault of a server that does not start."""
    try:
        wait()
    except Fault as fault:
        raise Fault("\n".join([str(fault), f"From {log}:", *last_lines(log, 8)])) from fault


def _prepare(home: Home, preparation: Service) -> None:
    log = home.logs / "prepare.log"
    with log.open("wb") as output:
        done = subprocess.run(
            preparation.command,
            env=dict(preparation.environment),
            cwd=preparation.folder,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    if done.returncode:
        raise Fault("\n".join(["the database could not be prepared:", *last_lines(log, 15)]))


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return once the address answers 200. Raises Fault with the end of the log otherwise."""
    deadline = time.monotonic() + READY_SECONDS
    answer = "no answer"
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except urllib.error.HTTPError as error:
            answer = f"status {error.code}"
        except OSError as error:
            answer = str(error)
        time.sleep(0.05)
    raise Fault("\n".join([f"{url}: {answer}. From {log}:", *last_lines(log, 15)]))


def _workers() -> str:
    """How many of them each lane has, in words."""
    return ", ".join(f"{count} × {lane}" for lane, count in services.WORKERS.items())


def _table(home: Home, options: Options, seconds: float) -> str:
    kept = read_kept(home)
    rows = [
        ("web", f"{options.url}/admin/", "operators; readiness: /readyz"),
        ("webhooks", f"{options.url}/webhooks/v1/<connection>", "the platform's door"),
    ]
    if not os.environ.get("PUSH_APPLICATIONS_FILE"):
        rows.append(("phones", f"http://127.0.0.1:{kept.sandbox_page_port}/", "the sandbox"))
    database = "yours (DATABASE_URL)" if os.environ.get("DATABASE_URL") else "PostgreSQL"
    broker = "yours (REDIS_URL)" if os.environ.get("REDIS_URL") else "Valkey"
    rows += [
        ("workers", _workers(), "and the scheduler"),
        ("servers", f"{database}; {broker}", f"data in {home.folder}"),
        ("logs", str(home.logs), "one file a process"),
    ]
    lines = ["", f"Pushbridge runs (ready after {seconds:.1f} s).", ""]
    lines += [f"  {name:<10} {where:<46} {what}" for name, where, what in rows]
    if home.demo_logins.is_file():
        # Written on the first start, perhaps on another port.
        logins = re.sub(r"http://\S+/admin/", f"{options.url}/admin/", home.demo_logins.read_text())
        lines += ["", *(f"  {line}" for line in logins.splitlines())]
    lines += [
        "",
        "  Watch it work, in another terminal: python3 manage.py demo",
        "  Stop: Ctrl-C",
        "",
    ]
    return "\n".join(lines)
