"""Makes `.venv` and goes on inside it. Standard library only: it runs before anything is installed.

The environment is what a lock file says, package by package and hash by hash. uv installs it in
seconds, configured as pip is on this machine; where uv cannot reach the index, pip does it.
"""

from __future__ import annotations

import ast
import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
VENV = PROJECT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "pushbridge.stamp"
# Not `.venv`'s own name for it: that one disappears while `.venv` is made again.
BASE_PYTHON = Path(sys.executable).resolve()
LOCK = PROJECT / "requirements.txt"
# A superset of LOCK: an environment that has it serves every command.
DEVELOPER_LOCK = PROJECT / "requirements-dev.txt"
INSTALLER_LOCK = PROJECT / "requirements-uv.txt"

# pip's options and what uv calls them (uv does not read pip's configuration).
UV_NAMES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
    "proxy": "ALL_PROXY",
}


class BootstrapError(Exception):
    """The environment cannot be made; the message says why and what to do, in plain words."""


def main(argv: Sequence[str]) -> int:
    """Run one command line inside `.venv`, making or renewing it first. Returns an exit code.

    From outside, this process becomes the environment's Python and does not return.
    """
    command = argv[1] if len(argv) > 1 else "help"
    try:
        ensure(DEVELOPER_LOCK if command == "test" else LOCK)
    except BootstrapError as error:
        print(f"pushbridge: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    if Path(sys.prefix) != VENV:
        os.execv(PYTHON, [str(PYTHON), str(PROJECT / "manage.py"), *argv[1:]])
    return _run_inside(command, argv)


def _run_inside(command: str, argv: Sequence[str]) -> int:
    """`up`, `test` and `bench` come before Django, since they start what Django needs."""
    entry = {
        "up": "pushbridge.embedded.up",
        "test": "pushbridge.embedded.testing",
        "bench": "bench.run",
    }
    if command in entry:
        module = importlib.import_module(entry[command])
        return int(module.main(list(argv[2:])))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pushbridge.settings")
    misconfigured = importlib.import_module("django.core.exceptions").ImproperlyConfigured
    try:
        importlib.import_module("django.core.management").execute_from_command_line(list(argv))
    except misconfigured as error:
        # As a rule: nothing was ever started here. A traceback would hide the sentence.
        print(f"pushbridge: {error}", file=sys.stderr)
        return 1
    return 0


def ensure(lock: Path) -> None:
    """Make `.venv` hold what `lock` says; nothing to do costs about a millisecond.

    Raises BootstrapError. Safe if two run at once: the second waits, then finds the work done.
    """
    if _is_ready(lock):
        return
    with _only_one():
        if _is_ready(lock):
            return
        if DEVELOPER_LOCK.name in _read_stamp():
            lock = DEVELOPER_LOCK
        try:
            _install(lock)
        except OSError as error:
            raise BootstrapError(f"cannot write {VENV}: {error.strerror}.") from error


def stamp_for(lock: Path) -> str:
    """What makes an environment usable as it is: the interpreter, the place, the locks' content."""
    locks = [LOCK, lock] if lock != LOCK else [LOCK]
    digests = [f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in locks]
    interpreter = os.path.realpath(PYTHON)
    return "\n".join([f"python {interpreter}", f"place {VENV}", *digests]) + "\n"


def _read_stamp() -> str:
    return STAMP.read_text() if STAMP.is_file() else ""


def _is_ready(lock: Path) -> bool:
    if not os.access(PYTHON, os.X_OK):
        return False
    stamp = _read_stamp()
    return stamp in (stamp_for(lock), stamp_for(DEVELOPER_LOCK))


@contextmanager
def _only_one() -> Iterator[None]:
    """Hold the project folder itself: a lock file inside `.venv` would go with `.venv`."""
    folder = os.open(PROJECT, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("Another start is making .venv; waiting for it …")
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _install(lock: Path) -> None:
    """Bring `.venv` to `lock`. The stamp comes last: without it the next start begins afresh."""
    renew = _read_stamp().startswith(f"python {os.path.realpath(PYTHON)}\nplace {VENV}\n")
    if not renew:
        _say("Making .venv (once; some seconds) …")
        _create()
    STAMP.unlink(missing_ok=True)
    _say(f"Installing what {lock.name} lists …")
    if not (_pip_install(INSTALLER_LOCK) and _uv_sync(lock)):
        _say("uv could not; pip tries (a minute or two) …")
        if not _pip_install(lock):
            raise BootstrapError(
                f"cannot install {lock.name}: is the package index reachable? pip's words: above."
            )
    unfinished = STAMP.with_suffix(".new")
    unfinished.write_text(stamp_for(lock))
    unfinished.replace(STAMP)


def _create() -> None:
    """An empty environment, in place of whatever an interrupted start left behind."""
    if VENV.is_symlink() or VENV.is_file():
        VENV.unlink()
    if VENV.exists():
        shutil.rmtree(VENV)
    venv = [str(BASE_PYTHON), "-m", "venv", str(VENV)]
    if importlib.util.find_spec("pip"):
        venv.append("--without-pip")  # this Python's own does; a second one costs seconds
    elif importlib.util.find_spec("ensurepip") is None:
        raise BootstrapError(
            f"this Python ({BASE_PYTHON}) has neither pip nor ensurepip."
            " On Debian and Ubuntu: apt install python3-venv."
        )
    if not _succeeds(venv):
        raise BootstrapError(f"`{' '.join(venv)}` failed; its words are above.")


def _pip(*arguments: str) -> list[str]:
    """The command line of a pip that works on `.venv`: its own, else this Python's."""
    own = list(VENV.glob("lib/python3*/site-packages/pip/__main__.py"))
    pip = [PYTHON, "-m", "pip"] if own else [BASE_PYTHON, "-m", "pip", "--python", PYTHON]
    return [*map(str, pip), "--disable-pip-version-check", *arguments]


def _pip_install(lock: Path) -> bool:
    return _succeeds(_pip("install", "--require-hashes", "-r", str(lock)))


def _uv_sync(lock: Path) -> bool:
    uv = VENV / "bin" / "uv"
    if not uv.exists():
        return False
    command = [str(uv), "pip", "sync", "--require-hashes", "--python", str(PYTHON), str(lock)]
    if not os.access(Path.home(), os.W_OK):
        command.append("--no-cache")
    return _succeeds(command, {**uv_environment(pip_configuration()), **os.environ})


def pip_configuration() -> str:
    """What `pip config list` prints on this machine."""
    listing = _pip("config", "list")
    return subprocess.run(listing, stdout=subprocess.PIPE, text=True, check=False).stdout


def uv_environment(pip_configuration: str) -> dict[str, str]:
    """uv's environment variables for what `pip config list` printed: same index, same trust.

    Lines look like `global.index-url='https://…'`; `install.` is closer than `global.`, and the
    environment (`:env:.`) closer still. Several values of one option are separated by spaces.
    """
    options: dict[str, str] = {}
    for section in ("global", "install", ":env:"):
        for line in pip_configuration.splitlines():
            key, _, value = line.partition("=")
            if key.startswith(f"{section}.") and value:
                options[key.removeprefix(f"{section}.")] = str(ast.literal_eval(value))
    return {
        # As pip does: all indexes are equal. The hashes decide what may be installed.
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_SYSTEM_CERTS": "true",
        **{
            UV_NAMES[name]: " ".join(value.split())
            for name, value in options.items()
            if name in UV_NAMES
        },
    }


def _succeeds(command: Sequence[str], environment: Mapping[str, str] | None = None) -> bool:
    """Run to the end, showing what it says except its list of packages. True for exit code 0."""
    words = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    with words:
        for line in words.stdout or ():
            if not line.startswith((" + ", " - ", " ~ ")):
                _say("  " + line.rstrip())
    return words.returncode == 0


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    # For images and provisioning: the environment alone, without starting anything.
    try:
        ensure(LOCK)
    except BootstrapError as error:
        sys.exit(f"pushbridge: {error}")
