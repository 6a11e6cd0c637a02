"""One system for all drills here: each leaves it as whole as it found it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench.drills.drill import Stage
from bench.drills.system import System
from pushbridge.embedded.processes import free_port


@pytest.fixture(scope="package")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """`manage.py up`, with five agents who are to be told and one who is not."""
    system = System(tmp_path_factory.mktemp("drills") / "var", free_port(8700))
    system.folder.mkdir()
    try:
        system.start()
        yield Stage.set(system, members=5, bystanders=1)
    finally:
        system.stop()
