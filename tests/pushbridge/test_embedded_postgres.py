"""The embedded PostgreSQL: real servers on data of their own, killed as machines kill them."""

import os
import pwd
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection

from pushbridge.bootstrap import PROJECT
from pushbridge.embedded import postgres
from pushbridge.embedded.postgres import Cluster
from pushbridge.embedded.processes import Fault, free_port, record, start, stop_group
from pushbridge.embedded.scratch import scratch_folder


@pytest.fixture
def folder() -> Iterator[Path]:
    """Its path is named as people do, and short enough for a socket."""
    with scratch_folder("Ann's + ") as folder:
        yield folder


@pytest.fixture
def cluster(folder: Path) -> Cluster:
    """An initialized data folder."""
    return make(folder / "postgres", folder / "scratch")


def make(data: Path, scratch: Path) -> Cluster:
    account = postgres.account_for(data, PROJECT)
    scratch.mkdir(mode=0o711)
    cluster = Cluster(
        data=data,
        installation=postgres.reachable_installation(postgres.installation(), account, scratch),
        password='it\'s a "secret" @/:?#[]%20é',
        port=free_port(),
        account=account,
        durable=False,  # here, for speed: `initdb` would wait for the disk
    )
    postgres.initialize(cluster)
    return replace(cluster, durable=True)


@contextmanager
def serving(cluster: Cluster) -> Iterator[subprocess.Popen[bytes]]:
    service = postgres.service(cluster)
    process = start(service, subprocess.DEVNULL)
    try:
        postgres.wait_until_ready(cluster, process)
        yield process
    finally:
        stop_group(record("postgresql", process.pid, service.stop_signal), patience=10.0)
        process.wait()
        for descriptor in service.descriptors:
            os.close(descriptor)


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    yield connection
    connection.close()


def ask(url: str, statement: str) -> object:
    with connected(url) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def test_a_committed_row_survives_a_kill(cluster: Cluster) -> None:
    with serving(cluster) as process:
        ask(cluster.url(), "CREATE TABLE promise (id int)")
        ask(cluster.url(), "INSERT INTO promise VALUES (1)")
        process.kill()
        process.wait()

    with serving(cluster):
        assert ask(cluster.url(), "SELECT count(*) FROM promise") == 1
        assert ask(cluster.url(), "SHOW fsync") == "on"
        assert ask(cluster.url(), "SHOW synchronous_commit") == "on"


def test_nobody_comes_in_without_the_password(cluster: Cluster) -> None:
    with serving(cluster), pytest.raises(psycopg2.OperationalError, match="authentication failed"):
        psycopg2.connect(replace(cluster, password="wrong").url())


def test_a_short_path_is_served_on_a_socket_alone(cluster: Cluster) -> None:
    with serving(cluster):
        assert ask(cluster.url(), "SHOW listen_addresses") == ""
        assert ask(cluster.url(), "SELECT inet_client_addr()") is None


def test_a_path_too_long_for_a_socket_is_served_on_loopback(folder: Path) -> None:
    deep = folder / ("d" * 100)
    deep.mkdir()
    cluster = make(deep / "postgres", folder / "scratch")

    with serving(cluster):
        assert ask(cluster.url(), "SHOW listen_addresses") == "127.0.0.1"
        assert ask(cluster.url(), "SHOW unix_socket_directories") == ""


def test_data_are_their_owners_alone(cluster: Cluster) -> None:
    assert cluster.data.stat().st_mode & 0o777 == 0o700


def test_an_unfinished_data_folder_is_begun_again(folder: Path) -> None:
    unfinished = folder / "postgres.unfinished"
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("18\n")

    cluster = make(folder / "postgres", folder / "scratch")

    assert (cluster.data / "global" / "pg_control").is_file()
    assert not unfinished.exists()


def test_data_of_another_version_are_refused_with_its_name(cluster: Cluster) -> None:
    (cluster.data / "PG_VERSION").write_text("17\n")

    with pytest.raises(Fault, match="made by PostgreSQL 17, this is 18"):
        postgres.initialize(cluster)


def test_a_server_that_still_runs_is_found_by_its_pid_file(cluster: Cluster) -> None:
    with serving(cluster) as process:
        found = postgres.leftover(cluster.data)

        assert found and found.pid == process.pid
        stop_group(found, patience=10.0)
        assert process.wait(timeout=5) == 0


def test_a_pid_file_whose_pid_is_another_programs_by_now_does_not_stand_in_the_way(
    cluster: Cluster,
) -> None:
    yesterday = int(time.time()) - 86_400
    file = cluster.data / "postmaster.pid"
    file.write_text(f"{os.getpid()}\n{cluster.data}\n{yesterday}\n5432\n.\n")

    assert postgres.leftover(cluster.data) is None

    assert not file.exists()


def test_a_pid_file_of_nobody_is_left_to_postgresql(cluster: Cluster) -> None:
    with serving(cluster) as process:
        process.kill()
        process.wait()

        assert postgres.leftover(cluster.data) is None
        assert (cluster.data / "postmaster.pid").exists()


def test_an_installation_in_a_closed_folder_is_copied_for_another_account(tmp_path: Path) -> None:
    package = tmp_path / "closed" / "some_package"
    found = package / "pginstall18"
    (found / "bin").mkdir(parents=True)
    (found / "bin" / "postgres").write_text("#!/bin/sh\n")
    (found / "bin" / "postgres").chmod(0o700)
    libraries = tmp_path / "closed" / "some_package.libs"
    libraries.mkdir()
    (libraries / "libpq.so").touch(mode=0o600)
    (tmp_path / "closed").chmod(0o700)
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    copy = postgres.reachable_installation(found, pwd.getpwnam("nobody"), scratch)

    assert copy == scratch / "some_package" / "pginstall18"
    assert (copy / "bin" / "postgres").stat().st_mode & 0o777 == 0o755
    assert (scratch / "some_package.libs" / "libpq.so").stat().st_mode & 0o777 == 0o644


def test_an_installation_is_used_where_it_lies_if_we_run_it_ourselves(tmp_path: Path) -> None:
    assert postgres.reachable_installation(tmp_path, None, tmp_path / "scratch") == tmp_path
