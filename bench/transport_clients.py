"""HTTP/2 clients that all send the same thing: an APNs request, `count` times, `width` at once.

`python -m bench.transport_clients NAME URL CA_FILE COUNT WIDTH` runs one of them and prints, as
JSON, requests per second and microseconds of CPU (Python and libraries) per request. Every client
verifies the server's certificate, and fails unless each answer is 200.
"""

import asyncio
import importlib
import json
import ssl
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from channels_app.gateways.exchange import Request
from channels_app.gateways.transport import Transport

HEADERS = {
    "authorization": "bearer " + "e" * 200,
    "apns-id": "ff9051b0-83a0-5c94-80c4-d21498e42090",
    "apns-topic": "com.example.pushbridge",
    "apns-push-type": "alert",
    "apns-priority": "10",
    "apns-expiration": "1777896600",
    "apns-collapse-id": "conversation:c-1:1",
}
PAYLOAD = {
    "aps": {
        "alert": {
            "title": "🆘 Customer escalation: Bot X",
            "body": '"I want to talk to a human about my refund."\nTap to claim and respond.',
        },
        "sound": "default",
        "thread-id": "conversation:c-1",
        "category": "ESCALATION",
        "interruption-level": "time-sensitive",
    },
    "body": {"event_id": "e-1", "notification_id": "n-1", "action_token": "t" * 200},
}
BODY = json.dumps(PAYLOAD, ensure_ascii=False, separators=(",", ":")).encode()

Send = Callable[[int], Awaitable[int]]


def path(number: int) -> str:
    return f"/3/device/{number:064x}"


def measured(run: Callable[[int], None], count: int, width: int) -> dict[str, float]:
    """Warm up with one request for each that will be in flight, then measure `count`."""
    run(width)
    started, cpu = time.perf_counter(), time.process_time()
    run(count)
    return {
        "per_second": count / (time.perf_counter() - started),
        "cpu_microseconds": (time.process_time() - cpu) / count * 1e6,
    }


def pycurl(url: str, ca_file: str, count: int, width: int) -> dict[str, float]:
    """Our transport, with everything it does."""
    transport: Transport[int] = Transport(ca_file=ca_file, networks=["127.0.0.0/8", "::1/128"])
    lines = [*(f"{name}: {value}" for name, value in HEADERS.items()), "accept:", "user-agent:"]

    def run(count: int) -> None:
        sent = answered = 0
        while answered < count:
            while sent < count and transport.in_flight < width:
                transport.submit(Request(url + path(sent), lines, BODY), sent)
                sent += 1
            for _, reply in transport.poll(10.0):
                assert reply.status == 200, reply
                answered += 1

    try:
        return measured(run, count, width)
    finally:
        transport.close()


def at_once(send: Send, loop: asyncio.AbstractEventLoop, width: int) -> Callable[[int], None]:
    """A run of an asynchronous client: `width` tasks that take numbers until none is left."""

    async def worker(numbers: Any) -> None:
        for number in numbers:
            assert await send(number) == 200

    async def everything(count: int) -> None:
        numbers = iter(range(count))
        await asyncio.gather(*(worker(numbers) for _ in range(width)))

    return lambda count: loop.run_until_complete(everything(count))


def httpx(url: str, ca_file: str, count: int, width: int) -> dict[str, float]:
    module: Any = importlib.import_module("httpx")
    with asyncio.Runner() as runner:
        context = ssl.create_default_context(cafile=ca_file)
        client = module.AsyncClient(http2=True, verify=context, timeout=30.0)

        async def send(number: int) -> int:
            answer = await client.post(url + path(number), content=BODY, headers=HEADERS)
            status: int = answer.status_code
            return status

        return measured(at_once(send, runner.get_loop(), width), count, width)


def niquests(url: str, ca_file: str, count: int, width: int) -> dict[str, float]:
    module: Any = importlib.import_module("niquests")
    with asyncio.Runner() as runner:
        session = module.AsyncSession(disable_http1=True, disable_http3=True)

        async def send(number: int) -> int:
            answer = await session.post(
                url + path(number), data=BODY, headers=HEADERS, verify=ca_file
            )
            status: int = answer.status_code
            return status

        return measured(at_once(send, runner.get_loop(), width), count, width)


def pyreqwest(url: str, ca_file: str, count: int, width: int) -> dict[str, float]:
    module: Any = importlib.import_module("pyreqwest.client")
    with open(ca_file, "rb") as file:
        authority = file.read()
    with asyncio.Runner() as runner:

        async def build() -> Any:
            builder = module.ClientBuilder().http2(True).add_root_certificate_pem(authority)
            return builder.max_connections(width).build()

        client = runner.run(build())

        async def send(number: int) -> int:
            request = client.post(url + path(number)).headers(HEADERS).body_bytes(BODY).build()
            answer = await request.send()
            status: int = answer.status
            return status

        return measured(at_once(send, runner.get_loop(), width), count, width)


def wreq(url: str, ca_file: str, count: int, width: int) -> dict[str, float]:
    module: Any = importlib.import_module("wreq")
    with asyncio.Runner() as runner:
        client = module.Client(tls_verify=Path(ca_file), http2_only=True)

        async def send(number: int) -> int:
            answer = await client.post(url + path(number), headers=HEADERS, body=BODY)
            return int(str(answer.status).split()[0])

        return measured(at_once(send, runner.get_loop(), width), count, width)


def aioapns(url: str, ca_file: str, count: int, width: int) -> dict[str, float]:
    """As django-push-notifications uses it, but with one client kept for all sends."""
    module: Any = importlib.import_module("aioapns")
    connection: Any = importlib.import_module("aioapns.connection")
    host, _, port = url.removeprefix("https://").partition(":")
    context = ssl.create_default_context(cafile=ca_file)
    context.set_alpn_protocols(["h2"])

    class Server(connection.APNsTLSClientProtocol):  # type: ignore[misc]
        APNS_SERVER = host
        APNS_PORT = int(port)

    with asyncio.Runner() as runner, tempfile.NamedTemporaryFile("w", suffix=".p8") as key_file:
        key_file.write(signing_key())
        key_file.flush()

        async def build() -> Any:
            client = module.APNs(
                key=key_file.name,
                key_id="ABC123DEFG",
                team_id="DEF123GHIJ",
                topic=HEADERS["apns-topic"],
                max_connections=1,
                ssl_context=context,
            )
            client.pool.protocol_class = Server
            return client

        client = runner.run(build())

        async def send(number: int) -> int:
            request = module.NotificationRequest(
                device_token=f"{number:064x}",
                message=PAYLOAD,
                notification_id=str(number),
                collapse_key=HEADERS["apns-collapse-id"],
                push_type=module.PushType.ALERT,
            )
            return int((await client.send_notification(request)).status)

        return measured(at_once(send, runner.get_loop(), width), count, width)


def signing_key() -> str:
    """A throw-away key in PEM."""
    ec: Any = importlib.import_module("cryptography.hazmat.primitives.asymmetric.ec")
    forms: Any = importlib.import_module("cryptography.hazmat.primitives.serialization")
    pem: bytes = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.NoEncryption()
    )
    return pem.decode()


CLIENTS = {
    "pycurl": pycurl,
    "wreq": wreq,
    "pyreqwest": pyreqwest,
    "aioapns": aioapns,
    "niquests": niquests,
    "httpx": httpx,
}


def main() -> None:
    name, url, ca_file, count, width = sys.argv[1:]
    json.dump(CLIENTS[name](url, ca_file, int(count), int(width)), sys.stdout)


if __name__ == "__main__":
    main()
