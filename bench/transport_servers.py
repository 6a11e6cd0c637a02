"""HTTP/2 servers of three makes, for the transport's benchmark and its tests.

Each answers every POST with 200 once it has read the body, and allows 1,000 streams. A client that
suits only one of them is no client: they differ in when they read a body, when they send their
settings, and how they close.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme

from bench.processes import running, wait_for_port
from pushbridge.embedded.processes import Service, free_port

NODE_PROGRAM = """
const { createSecureServer } = require('node:http2');
const { readFileSync } = require('node:fs');
const [folder, port] = process.argv.slice(2);
const server = createSecureServer({
  key: readFileSync(folder + '/server.key'),
  cert: readFileSync(folder + '/server.pem'),
  settings: { maxConcurrentStreams: 1000 },
});
server.on('stream', (stream, headers) => {
  stream.on('error', () => {});
  stream.resume();
  stream.on('end', () => {
    if (stream.destroyed) return;
    stream.respond({ ':status': 200, 'apns-id': headers['apns-id'] ?? '' }, { endStream: true });
  });
});
server.on('sessionError', () => {});
server.on('error', () => {});
server.listen(Number(port), '127.0.0.1');
"""


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server listens, and what to trust."""

    name: str
    url: str
    ca_file: str


# nginx answers a bare `return 200` before it has read the body, and resets the stream under a
# sender that is still sending; `mirror` makes it read first (see bench.gateway).
NGINX_CONFIGURATION = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    http2_max_concurrent_streams 1000;
    keepalive_requests 1000000000;
    server {{
        listen 127.0.0.1:{port} ssl http2;
        ssl_certificate {folder}/server.pem;
        ssl_certificate_key {folder}/server.key;
        location / {{ mirror /mirrored; empty_gif; error_page 405 =200 @answer; }}
        location = /mirrored {{ internal; return 204; }}
        location @answer {{ add_header apns-id $http_apns_id always; return 200; }}
    }}
}}
"""


def nginx_command(program: str, folder: Path, port: int) -> tuple[str, ...]:
    configuration = folder / "nginx.conf"
    configuration.write_text(NGINX_CONFIGURATION.format(folder=folder, port=port))
    return (program, "-p", f"{folder}/", "-e", "stderr", "-c", str(configuration))


def nghttpd_command(program: str, folder: Path, port: int) -> tuple[str, ...]:
    options = ("-a", "127.0.0.1", "-m", "1000", "-d", str(folder), "--echo-upload", str(port))
    return (program, *options, str(folder / "server.key"), str(folder / "server.pem"))


def node_command(program: str, folder: Path, port: int) -> tuple[str, ...]:
    script = folder / "server.cjs"
    script.write_text(NODE_PROGRAM)
    return (program, str(script), str(folder), str(port))


COMMANDS: dict[str, Callable[[str, Path, int], tuple[str, ...]]] = {
    "nginx": nginx_command,
    "nghttpd": nghttpd_command,
    "node": node_command,
}


def program(name: str) -> str | None:
    """Where it is; Debian puts servers outside of an ordinary user's PATH."""
    return shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")


def installed() -> list[str]:
    """The servers whose program is on this machine."""
    return [name for name in COMMANDS if program(name)]


@contextmanager
def serving(name: str, folder: Path) -> Iterator[Server]:
    """One of the `installed` servers with its files in `folder`, stopped at the end."""
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    certificate.private_key_pem.write_to_path(str(folder / "server.key"))
    certificate.cert_chain_pems[0].write_to_path(str(folder / "server.pem"))
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    port = free_port()
    command = COMMANDS[name](program(name) or name, folder, port)
    with running(Service(name, command), folder) as process:
        wait_for_port(port, process, folder / f"{name}.log")
        yield Server(name, f"https://localhost:{port}", str(folder / "ca.pem"))
