from __future__ import annotations

import stat
from pathlib import Path

from pushbridge.demo import logins
from pushbridge.demo.cast import ADMIN, LOGINS

PASSWORDS = {"admin": "first-password", "olivia": "second-password"}


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "demo-logins"

    logins.write(file, logins.table(LOGINS, PASSWORDS, url="http://127.0.0.1:8000/admin/"))

    assert logins.read(file, LOGINS) == PASSWORDS


def test_only_its_owner_can_read_the_file(tmp_path: Path) -> None:
    file = tmp_path / "demo-logins"
    file.touch(mode=0o644)

    logins.write(file, "secret")

    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_missing_file_knows_nobody(tmp_path: Path) -> None:
    assert logins.read(tmp_path / "demo-logins", LOGINS) == {}


def test_each_password_is_another_one() -> None:
    assert len({logins.new_password() for _ in range(50)}) == 50


def test_the_table_names_who_can_sign_in_and_where() -> None:
    table = logins.table([ADMIN], PASSWORDS, url="http://127.0.0.1:8000/admin/")

    assert "http://127.0.0.1:8000/admin/" in table
    assert "admin" in table and "first-password" in table and "olivia" not in table
