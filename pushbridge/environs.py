"""What the HTTP server says of a request, as Django reads it: the WSGI environ (PEP 3333)."""

from __future__ import annotations

import sys
from typing import Any, Protocol

from pushbridge.webhooks.handler import PREFIX

Environ = dict[str, Any]


class Scope(Protocol):
    """What we use of an RSGI 1.5 scope."""

    http_version: str
    server: str
    client: str
    scheme: str
    method: str
    path: str
    query_string: str

    @property
    def headers(self) -> RequestHeaders: ...


class RequestHeaders(Protocol):
    def items(self) -> list[tuple[str, str]]: ...


def of(scope: Scope) -> Environ:
    """The WSGI environ of a request (PEP 3333), but for its body."""
    host, _, port = scope.server.rpartition(":")
    environ: Environ = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        # PEP 3333: the path's bytes, each as one Latin-1 character.
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in scope.headers.items():
        # x_forwarded_proto would be taken for x-forwarded-proto, which only a proxy may set.
        if "_" in name:
            continue
        key = name.upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = f"HTTP_{key}"
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    environ.setdefault("CONTENT_TYPE", "")
    environ.setdefault("CONTENT_LENGTH", "")
    return environ


def has_body(environ: Environ) -> bool:
    return environ["CONTENT_LENGTH"] not in ("", "0") or "HTTP_TRANSFER_ENCODING" in environ


def is_for_the_door(environ: Environ) -> bool:
    return bool(environ["PATH_INFO"].startswith(PREFIX))
