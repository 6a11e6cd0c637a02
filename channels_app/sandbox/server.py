"""Brings the sandbox up: the TLS port of the push services, and the plain port of the page."""

import asyncio
import datetime as dt
import signal
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from channels_app.sandbox import applications, keys
from channels_app.sandbox.apns import Apns
from channels_app.sandbox.faults import Faults
from channels_app.sandbox.fcm import Fcm
from channels_app.sandbox.gateway import Gateway
from channels_app.sandbox.http1 import Http1
from channels_app.sandbox.http2 import Http2Connection
from channels_app.sandbox.oauth import PATH as OAUTH_PATH
from channels_app.sandbox.oauth import OAuth
from channels_app.sandbox.page import Page
from channels_app.sandbox.phones import PhoneBook
from channels_app.sandbox.webpush import WebPush

SHUTDOWN_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Options:
    """Where the sandbox keeps its state and listens."""

    state: Path
    port: int
    page_port: int
    host: str = "127.0.0.1"
    app_url: str = ""
    """Where the app on the phones has its server; empty: nowhere."""

    @property
    def base_url(self) -> str:
        """The address of all three push services."""
        host = "localhost" if self.host in ("0.0.0.0", "::") else self.host
        return f"https://{host}:{self.port}"


class Negotiator(asyncio.Protocol):
    """Takes a connection after its TLS handshake, and gives it to the protocol ALPN chose."""

    def __init__(self, gateway: Gateway, http1: Http1) -> None:
        self._gateway = gateway
        self._http1 = http1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hand over."""
        assert isinstance(transport, asyncio.Transport)
        secured = transport.get_extra_info("ssl_object")
        protocol: asyncio.Protocol
        if secured.selected_alpn_protocol() == "h2":
            protocol = Http2Connection(self._gateway)
        else:
            protocol = self._http1.server()
        transport.set_protocol(protocol)
        protocol.connection_made(transport)


async def serve(options: Options) -> None:
    """Run until SIGINT or SIGTERM. Raises OSError if a port is taken."""
    keys.prepare(options.state, base_url=options.base_url, now=dt.datetime.now(dt.UTC))
    apps = applications.load(options.state / "applications.json")
    phones = PhoneBook(options.state / "phones.json", apps)
    faults = Faults()
    oauth = OAuth(
        apps,
        secret=(options.state / "oauth.secret").read_bytes(),
        token_uri=f"{options.base_url}{OAUTH_PATH}",
    )
    web_push = WebPush(phones, origin=options.base_url)
    gateway = Gateway(
        phones=phones,
        faults=faults,
        apns=Apns(apps, phones),
        fcm=Fcm(apps, phones, oauth),
        oauth=oauth,
        web_push=web_push,
    )
    page = Page(
        phones=phones,
        gateway=gateway,
        applications=apps,
        endpoint=web_push.endpoint,
        base_url=options.base_url,
        app_url=options.app_url,
    )
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    await _listen(options, gateway, page, stopped)


async def _listen(options: Options, gateway: Gateway, page: Page, stopped: asyncio.Event) -> None:
    http1 = Http1(gateway)
    context = keys.server_context(options.state)
    context.set_servername_callback(_handshake(gateway.faults))
    loop = asyncio.get_running_loop()
    services = await loop.create_server(
        lambda: Negotiator(gateway, http1),
        options.host,
        options.port,
        ssl=context,
        backlog=1024,
    )
    runner = web.AppRunner(page.application(), access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        site = web.TCPSite(runner, options.host, options.page_port)
        await site.start()
        page_url = f"http://{options.host}:{options.page_port}/"
        print(f"push services {options.base_url}  page {page_url}", flush=True)
        await stopped.wait()
    finally:
        page.close()
        services.close()
        await runner.cleanup()


def _handshake(
    faults: Faults,
) -> Callable[[ssl.SSLSocket | ssl.SSLObject, str | None, ssl.SSLSocket], int | None]:
    """Called in every TLS handshake, with a server name or without one."""

    def decide(_: object, __: str | None, ___: object) -> int | None:
        refuse = faults.refuses_tls()
        return ssl.ALERT_DESCRIPTION_HANDSHAKE_FAILURE if refuse else None

    return decide


def run(options: Options) -> None:
    """Run the event loop. Raises OSError if a port is taken."""
    asyncio.run(serve(options))
