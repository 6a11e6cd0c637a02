"""Runs Pushbridge with the command lines of `manage.py up`, sandbox and demo left out."""

import json
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from bench.ground import BOTS, Ground
from bench.measuring import System
from bench.processes import running, wait_for_port
from bench.webhooks import Door
from channels_app.event_types import CATALOGUE
from channels_app.links import About, identity
from pushbridge.bootstrap import PROJECT
from pushbridge.embedded import services
from pushbridge.embedded.home import Home
from pushbridge.embedded.processes import free_port

PREPARATION_SECONDS = 120.0
APPLICATION = "bench"


@dataclass(slots=True)
class Pushbridge:
    """Web, a worker for each lane, and the scheduler."""

    ground: Ground
    secret_key: str = field(default_factory=lambda: secrets.token_urlsafe(50))
    organization_id: int = 0
    path: str = ""
    secret: str = ""
    name: str = "pushbridge"
    full_speed_events: Mapping[int, int] = field(default_factory=lambda: {1: 4000, 100: 300})
    accepted: str = "SELECT count(*) FROM chatbot_delivery WHERE state = 'accepted'"

    def prepare(self, database: str) -> None:
        """Tables and rows."""
        self._write_applications()
        environment = self._environment(database)
        self._call(environment, str(PROJECT / "manage.py"), "migrate", "--verbosity", "0")
        bots = [f"bot_{devices}={devices}" for devices in BOTS]
        seeded = json.loads(
            self._call(environment, "-m", "bench.seed_pushbridge", APPLICATION, *bots)
        )
        self.organization_id = seeded["organization_id"]
        self.path, self.secret = seeded["path"], seeded["secret"]

    @contextmanager
    def run(self, database: str) -> Iterator[System]:
        """All that `up` runs, but for the servers and the sandbox."""
        port = free_port()
        environment = self._environment(database)
        web = services.web("127.0.0.1", port, environment)
        workers = [*services.workers(environment), services.scheduler(self._home, environment)]
        folder = self.ground.folder
        with ExitStack() as stack:
            pids = [stack.enter_context(running(each, folder)).pid for each in workers]
            granian = stack.enter_context(running(web, folder))
            wait_for_port(port, granian, folder / f"{web.name}.log")
            parts = {"web": [granian.pid], "workers": pids, **self.ground.server_processes}
            door = Door(port, self.path, self.secret)
            yield System(self.name, door, parts, self._collapse_id)

    def _collapse_id(self, conversation_id: str) -> str:
        about = About(
            row=CATALOGUE["conversation.human_requested"],
            organization_id=self.organization_id,
            event_id=0,
            source="",
            subject=conversation_id,
        )
        return identity(about).collapse_key

    @property
    def _home(self) -> Home:
        folder = self.ground.folder / "var"
        folder.mkdir(exist_ok=True)
        return Home(folder)

    def _write_applications(self) -> None:
        application = {
            "platform": "APNS",
            "auth_key_path": str(self.ground.apns_key),
            "auth_key_id": "ABC123DEFG",
            "team_id": "DEF123GHIJ",
            "topic": "com.example.pushbridge",
            "use_sandbox": False,
            "shape": "expo",
            "critical_alerts": True,
        }
        file = self.ground.folder / "applications.json"
        file.write_text(json.dumps({APPLICATION: application}))

    def _environment(self, database: str) -> dict[str, str]:
        ground = self.ground
        return {
            **services.child_environment(self._home),
            "SECRET_KEY": self.secret_key,
            "DATABASE_URL": ground.servers.cluster.url(database),
            "REDIS_URL": ground.servers.broker.url,
            "PUBLIC_URL": "http://127.0.0.1",
            "PUSH_APPLICATIONS_FILE": str(ground.folder / "applications.json"),
            "APNS_URL": ground.gateway.url,
            "GATEWAY_CA_FILE": str(ground.gateway.ca_file),
            "GATEWAY_NETWORKS": "127.0.0.0/8,::1/128",
        }

    def _call(self, environment: Mapping[str, str], *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=PROJECT,
            env=dict(environment),
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            timeout=PREPARATION_SECONDS,
        )
        return done.stdout
