"""The recipe's own virtual environment, from its own lock file."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from pushbridge.bootstrap import BASE_PYTHON, PROJECT, pip_configuration, uv_environment
from pushbridge.embedded.processes import Fault

LOCK = PROJECT / "bench" / "requirements.txt"


def ensure(folder: Path) -> Path:
    """The Python of an environment in `folder` that holds what LOCK says, made if need be.

    Raises Fault where the packages cannot be had.
    """
    python, stamp = folder / "bin" / "python", folder / "bench.stamp"
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted and python.exists():
        return python
    uv = str(Path(sys.prefix) / "bin" / "uv")
    environment = {**uv_environment(pip_configuration()), **os.environ}
    for command in (
        [uv, "venv", "--quiet", "--clear", "--python", str(BASE_PYTHON), str(folder)],
        [uv, "pip", "sync", "--quiet", "--require-hashes", "--python", str(python), str(LOCK)],
    ):
        if subprocess.run(command, env=environment, check=False).returncode:
            raise Fault(f"the recipe's environment cannot be made: {' '.join(command)}")
    stamp.write_text(wanted)
    return python
