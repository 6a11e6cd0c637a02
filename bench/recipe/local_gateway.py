"""The one thing in the recipe that is not ordinary: where aioapns connects to.

aioapns, which django-push-notifications calls, has Apple's address in class attributes, so they
are set here. It also offers no protocol in the TLS handshake (ALPN), which Apple's gateway
tolerates and nginx does not: the context says "h2". The certificate of the gateway is trusted
through OpenSSL's own SSL_CERT_FILE. Nothing else of either library is touched.
"""

import functools
import ssl
from typing import Any

from aioapns import connection

_create_default_context = ssl.create_default_context


def send_to_local_gateway(port: int) -> None:
    """Point every later APNs connection of this process to `localhost:port`."""
    connection.APNsProductionClientProtocol.APNS_SERVER = "localhost"
    connection.APNsTLSClientProtocol.APNS_PORT = port
    ssl.create_default_context = _create_http2_context


@functools.wraps(_create_default_context)
def _create_http2_context(*args: Any, **kwargs: Any) -> ssl.SSLContext:
    context = _create_default_context(*args, **kwargs)
    context.set_alpn_protocols(["h2"])
    return context
