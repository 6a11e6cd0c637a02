"""A push gateway in C: nginx answers 200 to everything and writes down what arrived, and when.

It stands where Apple's gateway would (HTTP/2 over TLS on loopback) and costs so little that what
is measured is the sender. It checks nothing: for a gateway as strict as the real ones, see
`channels_app/sandbox/`.
"""

import datetime
import ipaddress
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bench.processes import running, wait_for_port
from pushbridge.embedded.processes import Service, free_port

# 1,000 streams is what Apple's gateway allows after the first authenticated request. The answer
# repeats `apns-id`, as Apple's does: clients match answers by it. `$msec` is the moment the
# answer was complete, with a resolution of one millisecond.
#
# A bare `return 200` would answer as soon as the headers are there and reset the stream under a
# sender that has yet to send its body. `mirror` makes nginx read the whole body first; the image
# refuses every POST with 405, without a word in the error log, and that becomes the 200.
CONFIGURATION = """
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
    log_format arrival '$msec $request_uri $http_apns_collapse_id';
    access_log {folder}/arrivals.log arrival buffer=64k flush=100ms;
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
        location / {{
            mirror /mirrored;
            empty_gif;
            error_page 405 =200 @answer;
        }}
        location = /mirrored {{
            internal;
            access_log off;
            return 204;
        }}
        location @answer {{
            add_header apns-id $http_apns_id always;
            return 200;
        }}
    }}
}}
"""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request at the gateway: `at` in epoch seconds, `collapse_id` as the sender set it."""

    at: float
    path: str
    collapse_id: str


@dataclass(frozen=True, slots=True)
class Gateway:
    """A running gateway: its address, the certificate to trust, its process, its log."""

    port: int
    ca_file: Path
    pid: int
    log: Path

    @property
    def url(self) -> str:
        """What a sender connects to, without a path."""
        return f"https://localhost:{self.port}"

    def reader(self) -> "ArrivalReader":
        """A reader of what arrives from now on."""
        return ArrivalReader(self.log, self.log.stat().st_size)


class ArrivalReader:
    """Reads the gateway's log as it grows.

    nginx writes it at least every 100 ms, and a line may be cut in two by its buffer: the rest
    of a line is waited for.
    """

    def __init__(self, log: Path, offset: int) -> None:
        self._log = log
        self._offset = offset

    def new(self) -> list[Arrival]:
        """What was written since the last call."""
        with self._log.open("rb") as file:
            file.seek(self._offset)
            chunk = file.read()
        complete = chunk[: chunk.rfind(b"\n") + 1]
        self._offset += len(complete)
        return [parse_arrival(line) for line in complete.decode().splitlines()]


def parse_arrival(line: str) -> Arrival:
    """One line of the gateway's log."""
    at, path, collapse_id = line.split(" ", 2)
    return Arrival(at=float(at), path=path, collapse_id=collapse_id)


@contextmanager
def running_gateway(folder: Path) -> Iterator[Gateway]:
    """An nginx of its own in `folder` on a free port, stopped at the end.

    Raises Fault where nginx does not come up.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    _write_certificate(folder)
    configuration = folder / "nginx.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder, port=port))
    command = (nginx(), "-p", f"{folder}/", "-e", "stderr", "-c", str(configuration))
    with running(Service("nginx", command), folder) as process:
        wait_for_port(port, process, folder / "nginx.log")
        yield Gateway(port, folder / "server.pem", process.pid, folder / "arrivals.log")


def nginx() -> str:
    """Where it is; Debian puts it outside of an ordinary user's PATH."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin") or "nginx"


def _write_certificate(folder: Path) -> None:
    """A self-signed P-256 certificate for localhost: it is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Pushbridge benchmark gateway")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "server.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file = folder / "server.key"
    with os.fdopen(os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
