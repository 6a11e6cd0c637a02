"""The processes of ours that `up` runs beside the servers: every command line is in this file."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from pushbridge.bootstrap import PROJECT
from pushbridge.embedded.home import Home, Kept
from pushbridge.embedded.processes import Service


def web(host: str, port: int, environment: Mapping[str, str]) -> Service:
    """The API, the webhook door and the admin."""
    where = ("--host", host, "--port", str(port))
    return _ours("web", ("pushbridge.serve", *where), environment=environment)


# How many workers each lane has. While one waits for the database another sends; and where a
# customer waits, one that dies leaves another at work.
WORKERS = {"escalation": 2, "default": 1}


def workers(environment: Mapping[str, str]) -> list[Service]:
    """All the workers, the more urgent lane's first."""
    return [
        _worker(lane, number, environment)
        for lane, count in WORKERS.items()
        for number in range(1, count + 1)
    ]


def _worker(lane: str, number: int, environment: Mapping[str, str]) -> Service:
    """Solo: it keeps its connections to the gateways, and one task at a time drains all that is
    due."""
    return _ours(
        f"worker-{lane}-{number}",
        (
            "celery",
            "--quiet",
            "--app",
            "pushbridge.celery",
            "worker",
            "--queues",
            lane,
            "--pool",
            "solo",
        ),
        ("--hostname", f"{lane}-{number}@%h", "--loglevel", "INFO"),
        ("--without-gossip", "--without-mingle", "--without-heartbeat"),
        environment=environment,
    )


def scheduler(home: Home, environment: Mapping[str, str]) -> Service:
    """Rings the workers' doorbells every few seconds."""
    folder = home.folder / "beat"
    folder.mkdir(mode=0o700, exist_ok=True)
    return _ours(
        "scheduler",
        ("celery", "--quiet", "--app", "pushbridge.celery", "beat", "--loglevel", "WARNING"),
        ("--schedule", str(folder / "schedule"), "--pidfile", ""),
        environment=environment,
    )


def sandbox(home: Home, kept: Kept, environment: Mapping[str, str], *, app_url: str) -> Service:
    """Stands in for Apple, Google and the browser vendors, and for the app on their phones."""
    home.sandbox.mkdir(mode=0o700, exist_ok=True)
    ports = ("--port", str(kept.sandbox_port), "--page-port", str(kept.sandbox_page_port))
    state = ("--state", str(home.sandbox), "--app-url", app_url)
    return _ours("sandbox", ("channels_app.sandbox", *state, *ports), environment=environment)


def preparation(environment: Mapping[str, str]) -> Service:
    """Migrates, and on the first start seeds the demo; ends by itself."""
    command = (sys.executable, str(PROJECT / "manage.py"), "prepare")
    return Service("prepare", command, environment, PROJECT)


def _ours(name: str, *arguments: tuple[str, ...], environment: Mapping[str, str]) -> Service:
    command = (sys.executable, "-m", *(part for group in arguments for part in group))
    return Service(name, command, environment, PROJECT)


def child_environment(home: Home) -> dict[str, str]:
    """The caller's, and where to find the rest; buffered output would come too late to the logs."""
    return {**os.environ, "PUSHBRIDGE_VAR": str(home.folder), "PYTHONUNBUFFERED": "1"}


def settings(
    home: Home, kept: Kept, *, public_url: str, database_url: str, redis_url: str, sandbox: bool
) -> dict[str, str]:
    """What `var/env` says; what the operator's environment says instead, as it says it."""
    ours = {
        "SECRET_KEY": kept.secret_key,
        "PUBLIC_URL": public_url,
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
    }
    if sandbox:
        gateway = f"https://127.0.0.1:{kept.sandbox_port}"
        ours |= {
            "PUSH_APPLICATIONS_FILE": str(home.sandbox / "applications.json"),
            "APNS_URL": gateway,
            "FCM_URL": gateway,
            "GATEWAY_CA_FILE": str(home.sandbox / "ca.pem"),
            "GATEWAY_NETWORKS": "127.0.0.0/8",
            "WEBPUSH_HOSTS": f"127.0.0.1:{kept.sandbox_port},localhost:{kept.sandbox_port}",
            "SANDBOX_URL": f"http://127.0.0.1:{kept.sandbox_page_port}",
        }
    return {name: os.environ.get(name) or value for name, value in ours.items()}
