#!/usr/bin/env python3
"""The one command of Pushbridge: `python3 manage.py up`, `test`, or any Django command.

Runs with the system's Python and nothing else: it makes `.venv` when needed and goes on inside it.
"""

import os
import shutil
import subprocess
import sys

# Those for which every package of requirements.txt comes ready-made.
VERSIONS = ("3.14", "3.13", "3.12", "3.11")


def use_a_supported_python() -> None:
    """Under any other Python (macOS brings 3.9): go on with a supported one, if there is one."""
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if version in VERSIONS:
        return
    for name in (f"python{each}" for each in VERSIONS):
        other = shutil.which(name)
        if other and subprocess.call([other, "-c", ""], stderr=subprocess.DEVNULL) == 0:
            os.execv(other, [other, *sys.argv])
    sys.exit(f"Pushbridge needs Python 3.11 to 3.14; this is {version}.")


if __name__ == "__main__":
    use_a_supported_python()
    from pushbridge import bootstrap

    sys.exit(bootstrap.main(sys.argv))
