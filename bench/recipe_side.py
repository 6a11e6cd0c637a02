"""Runs the obvious recipe (bench/recipe), in an environment of its own."""

import base64
import os
import secrets
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.ground import BOTS, Ground
from bench.measuring import System
from bench.processes import running, wait_for_port
from bench.webhooks import Door
from pushbridge.bootstrap import PROJECT
from pushbridge.embedded.processes import Service, free_port

PREPARATION_SECONDS = 120.0
# Two cores: of sync and gthread with one to three workers these gave it its best figures.
GUNICORN = ("--workers", "2", "--worker-class", "gthread", "--threads", "4")
CELERY = ("--pool", "prefork", "--concurrency", "2", "--loglevel", "WARNING")


@dataclass(frozen=True, slots=True)
class Recipe:
    """gunicorn, Celery, a task per event, django-push-notifications as it is."""

    ground: Ground
    python: Path
    secret: str = field(
        default_factory=lambda: "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
    )
    name: str = "recipe"
    full_speed_events: Mapping[int, int] = field(default_factory=lambda: {1: 400, 100: 60})
    accepted: str = "SELECT count(*) FROM recipe_delivery WHERE status = 'accepted'"

    def prepare(self, database: str) -> None:
        """Tables and rows."""
        bots = [f"--bot=bot_{devices}={devices}" for devices in BOTS]
        for command in (
            ("migrate", "--run-syncdb", "--verbosity", "0"),
            ("seed", "--secret", self.secret, *bots),
        ):
            subprocess.run(
                [str(self.python), "-m", "django", *command],
                env=self._environment(database),
                check=True,
                timeout=PREPARATION_SECONDS,
            )

    @contextmanager
    def run(self, database: str) -> Iterator[System]:
        """gunicorn and a Celery worker."""
        port = free_port()
        address = ("--bind", f"127.0.0.1:{port}", "--no-control-socket")
        web = self._service("web", database, "gunicorn", *address, *GUNICORN, "bench.recipe.wsgi")
        worker = self._service(
            "worker", database, "celery", "-A", "bench.recipe", "worker", *CELERY
        )
        folder = self.ground.folder
        with running(worker, folder) as celery, running(web, folder) as gunicorn:
            wait_for_port(port, gunicorn, folder / f"{web.name}.log")
            parts = {"web": [gunicorn.pid], "workers": [celery.pid], **self.ground.server_processes}
            door = Door(port, "/webhooks/v1/bench", self.secret)
            yield System(self.name, door, parts, collapse_id=str)

    def _service(self, part: str, database: str, *arguments: str) -> Service:
        command = (str(self.python), "-m", *arguments)
        return Service(f"recipe-{part}", command, self._environment(database), self.ground.folder)

    def _environment(self, database: str) -> dict[str, str]:
        servers = self.ground.servers
        return {
            "PATH": os.defpath,
            "PYTHONPATH": str(PROJECT),
            "DJANGO_SETTINGS_MODULE": "bench.recipe.settings",
            "DATABASE_URL": servers.cluster.url(database),
            "REDIS_URL": servers.broker.url,
            "GATEWAY_PORT": str(self.ground.gateway.port),
            "APNS_KEY_FILE": str(self.ground.apns_key),
            "SSL_CERT_FILE": str(self.ground.gateway.ca_file),
        }
