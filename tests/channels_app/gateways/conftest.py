"""What the gateways' tests share: a certificate authority, the sandbox, a dispatcher."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from channels_app.gateways.dispatch import Dispatcher
from channels_app.sandbox.process import SandboxProcess, running
from tests.channels_app.gateways.sandboxed import Dispatchers, config


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture(scope="session")
def sandbox_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with running(tmp_path_factory.mktemp("sandbox")) as process:
        yield process


@pytest.fixture
def sandbox(sandbox_process: SandboxProcess) -> Iterator[SandboxProcess]:
    """The sandbox, with no fault left over from the test before."""
    sandbox_process.clear_faults()
    yield sandbox_process
    sandbox_process.clear_faults()


@pytest.fixture
def dispatchers(sandbox: SandboxProcess) -> Iterator[Dispatchers]:
    """Make a dispatcher for the sandbox; closed at the end."""
    made: list[Dispatcher] = []

    def make(**changes: Any) -> Dispatcher:
        made.append(Dispatcher(config(sandbox, **changes)))
        return made[-1]

    yield make
    for dispatcher in made:
        dispatcher.close()


@pytest.fixture
def dispatcher(dispatchers: Dispatchers) -> Dispatcher:
    return dispatchers()
