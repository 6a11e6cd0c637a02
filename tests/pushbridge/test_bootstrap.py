"""The bootstrap on a project of its own whose lists of packages are empty: no index is asked."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pushbridge.bootstrap import PROJECT, uv_environment

PIP_CONFIGURATION = """\
global.index-url='https://mirror.example/simple'
global.extra-index-url='https://one.example/simple\\nhttps://two.example/simple'
install.index-url='https://closer.example/simple'
:env:.cert='/etc/ssl/company.pem'
global.disable-pip-version-check='1'
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that has the bootstrap and nothing to install; what tests do to it adds up."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "pushbridge").mkdir()
    for name in ("__init__.py", "bootstrap.py"):
        shutil.copy(PROJECT / "pushbridge" / name, folder / "pushbridge")
    for name in ("requirements.txt", "requirements-dev.txt", "requirements-uv.txt"):
        (folder / name).write_text("# nothing\n")
    return folder


def begin(project: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "pushbridge.bootstrap"],
        cwd=project,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(project: Path) -> str:
    """What one run says, having ended well."""
    process = begin(project)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    return said


def test_an_environment_is_made_once_and_then_left_alone(project: Path) -> None:
    run(project)
    assert run(project) == ""
    assert (project / ".venv" / "bin" / "python").exists()


def test_a_changed_list_is_installed_into_the_same_environment(project: Path) -> None:
    run(project)
    witness = project / ".venv" / "witness"
    witness.touch()
    (project / "requirements.txt").write_text(f"# nothing, said at {time.time_ns()}\n")

    said = run(project)

    assert "Installing" in said and "Making" not in said
    assert witness.exists()


def test_what_an_interrupted_start_left_is_made_again(project: Path) -> None:
    run(project)
    debris = project / ".venv" / "half-a-package"
    debris.touch()
    (project / ".venv" / "pushbridge.stamp").unlink()  # it is written last

    assert "Making .venv" in run(project)

    assert not debris.exists()


def test_an_environment_whose_interpreter_is_gone_is_made_again(project: Path) -> None:
    run(project)
    python = project / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/nowhere/python3.11")

    assert "Making .venv" in run(project)


def test_two_at_once_make_one_environment(project: Path) -> None:
    shutil.rmtree(project / ".venv", ignore_errors=True)
    both = [begin(project), begin(project)]

    said = [process.communicate(timeout=120)[1] for process in both]

    assert [process.returncode for process in both] == [0, 0], said
    assert "".join(said).count("Making .venv") == 1


def test_a_package_that_cannot_be_had_is_said_plainly(project: Path) -> None:
    run(project)
    nothing = (project / "requirements.txt").read_text()
    unknown = "pushbridge-nonexistent==1 --hash=sha256:" + "0" * 64
    (project / "requirements.txt").write_text(f"{unknown}\n")
    process = subprocess.run(
        [sys.executable, "-m", "pushbridge.bootstrap"],
        cwd=project,
        env={**os.environ, "PIP_NO_INDEX": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    (project / "requirements.txt").write_text(nothing)

    assert process.returncode == 1
    assert "cannot install requirements.txt" in process.stderr.splitlines()[-1]


def test_uv_is_told_what_pip_is_configured_with() -> None:
    assert uv_environment(PIP_CONFIGURATION) == {
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_SYSTEM_CERTS": "true",
        "UV_DEFAULT_INDEX": "https://closer.example/simple",
        "UV_INDEX": "https://one.example/simple https://two.example/simple",
        "SSL_CERT_FILE": "/etc/ssl/company.pem",
    }


def test_without_a_configuration_uv_keeps_its_own_index() -> None:
    assert "UV_DEFAULT_INDEX" not in uv_environment("")


def test_a_command_before_the_first_start_says_what_to_start(tmp_path: Path) -> None:
    environment = {**os.environ, "PUSHBRIDGE_VAR": str(tmp_path)}
    environment.pop("SECRET_KEY", None)

    done = subprocess.run(
        [sys.executable, PROJECT / "manage.py", "demo"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 1
    assert "manage.py up" in done.stderr and "Traceback" not in done.stderr
