"""`var/demo-logins`: the demo's passwords, made up once and kept beside the data they open."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

from pushbridge.demo.cast import Login

# 12 bytes are 16 characters: nothing to guess, and still to be typed from a screen.
PASSWORD_BYTES = 12


def new_password() -> str:
    return secrets.token_urlsafe(PASSWORD_BYTES)


def table(logins: Sequence[Login], passwords: Mapping[str, str], *, url: str) -> str:
    """What is kept and printed: where to sign in, and a line for each who can."""
    lines = [f"Sign in at {url}"]
    lines += [
        f"  {login.username:<8} {passwords[login.username]:<18} {login.may}" for login in logins
    ]
    return "\n".join(lines) + "\n"


def read(file: Path, logins: Sequence[Login]) -> dict[str, str]:
    """The passwords that an earlier seeding kept, by user name."""
    if not file.is_file():
        return {}
    known = {login.username for login in logins}
    rows = (line.split(maxsplit=2) for line in file.read_text().splitlines())
    return {row[0]: row[1] for row in rows if len(row) >= 2 and row[0] in known}


def write(file: Path, text: str) -> None:
    """Replace the file as a whole; nobody but its owner can read it, not even for a moment."""
    unfinished = file.with_name(f"{file.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as output:
        output.write(text)
    unfinished.replace(file)
