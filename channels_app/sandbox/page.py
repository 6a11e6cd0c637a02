"""The wall of lock screens, and the API that the demo and the tests steer the sandbox with."""

import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from aiohttp import web

from channels_app.sandbox.applications import Applications
from channels_app.sandbox.gateway import Gateway
from channels_app.sandbox.page_faults import FaultCalls
from channels_app.sandbox.page_requests import json_object, number, problem, secured, text
from channels_app.sandbox.page_taps import Taps
from channels_app.sandbox.phones import Arrival, Phone, PhoneBook, UnknownApplication
from channels_app.sandbox.streams import EventStream, Listeners

STATIC = Path(__file__).parent / "static"
STATIC_FILES = frozenset(path.name for path in STATIC.iterdir())
CONTENT_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
PLATFORMS = ("apns", "fcm", "webpush")
SWITCHES = ("online", "silenced")
WALL_BANNERS = 60
"""As many of a phone's banners as the wall draws."""


class Page:
    """The handlers of the plain HTTP port."""

    def __init__(
        self,
        *,
        phones: PhoneBook,
        gateway: Gateway,
        applications: Applications,
        endpoint: Callable[[Phone], str],
        base_url: str,
        app_url: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._phones = phones
        self._gateway = gateway
        self._applications = applications
        self._endpoint = endpoint
        self._base_url = base_url
        self._clock = clock
        self._listeners = Listeners()
        self._faults = FaultCalls(gateway.faults, lambda name: phones.get(name) is not None)
        self._taps = Taps(phones, app_url, self._phone)
        phones.on_arrival.append(self._arrived)
        phones.on_change.append(self._changed)
        gateway.on_refusal.append(self._refused)

    def application(self) -> web.Application:
        """The routes."""
        app = web.Application(middlewares=[secured])
        app.router.add_get("/", self.static)
        app.router.add_get("/static/{name}", self.static)
        app.router.add_get("/healthz", self.health)
        app.router.add_get("/api/wall", self.wall)
        app.router.add_get("/api/phones", self.list_phones)
        app.router.add_post("/api/phones", self.enroll)
        app.router.add_patch("/api/phones/{id}", self.switch)
        app.router.add_delete("/api/phones/{id}", self.remove)
        app.router.add_get("/api/phones/{id}/banners", self.screen)
        app.router.add_delete("/api/phones/{id}/banners", self.clear)
        app.router.add_get("/api/banners", self.banners)
        app.router.add_get("/api/refusals", self.refusals)
        app.router.add_get("/api/stream", self.stream)
        self._faults.add_routes(app.router)
        self._taps.add_routes(app.router)
        return app

    def close(self) -> None:
        """End the event streams, so that the server can stop."""
        self._listeners.close()

    async def static(self, request: web.Request) -> web.StreamResponse:
        """The page and its files; no other name exists."""
        name = request.match_info.get("name", "wall.html")
        if name not in STATIC_FILES:
            raise problem(404, "no such file")
        path = STATIC / name
        return web.Response(
            body=path.read_bytes(), content_type=CONTENT_TYPES[path.suffix], charset="utf-8"
        )

    async def health(self, _: web.Request) -> web.StreamResponse:
        """Alive, and where the push services are."""
        return web.json_response(
            {
                "status": "ok",
                "url": self._base_url,
                "phones": len(list(self._phones)),
                "requests": self._gateway.requests,
                "seq": self._phones.last_seq,
            }
        )

    async def wall(self, _: web.Request) -> web.StreamResponse:
        """Everything the page draws, at one instant."""
        phones = [
            {
                **self._describe(phone),
                "banners": [
                    a.as_json() for a in self._phones.screen(phone).arrivals[:WALL_BANNERS]
                ],
            }
            for phone in self._phones
        ]
        refused = len(self._gateway.refusals)
        return web.json_response(
            {"seq": self._phones.last_seq, "refused": refused, "phones": phones}
        )

    async def list_phones(self, _: web.Request) -> web.StreamResponse:
        """Every living phone."""
        return web.json_response([self._describe(phone) for phone in self._phones])

    async def enroll(self, request: web.Request) -> web.StreamResponse:
        """A new phone (201), or the one that this owner has under this name (200)."""
        content = await json_object(request)
        platform, owner, name = (
            text(content, "platform"),
            text(content, "owner"),
            text(content, "name"),
        )
        if platform not in PLATFORMS:
            raise problem(400, f"platform is one of {', '.join(PLATFORMS)}")
        application_id = content.get("application_id") or self._applications.default_for(platform)
        try:
            phone, is_new = self._phones.enroll(
                platform=platform,
                owner=owner,
                name=name,
                application_id=str(application_id),
                now=self._clock(),
            )
        except UnknownApplication as error:
            raise problem(400, str(error)) from error
        # What only the app itself knows, it tells whoever enrolls it, to be registered.
        keychain = {
            "installation_id": phone.installation_id,
            "installation_secret": phone.installation_secret,
        }
        return web.json_response(
            {**self._describe(phone), **keychain}, status=201 if is_new else 200
        )

    async def switch(self, request: web.Request) -> web.StreamResponse:
        """Turn a phone's `online` or `silenced` switch."""
        phone = self._phone(request)
        content = await json_object(request)
        if not content or any(
            key not in SWITCHES or not isinstance(value, bool) for key, value in content.items()
        ):
            raise problem(400, f"give booleans for {' and '.join(SWITCHES)}")
        self._phones.switch(phone, now=self._clock(), **content)
        return web.json_response(self._describe(phone))

    async def remove(self, request: web.Request) -> web.StreamResponse:
        """Delete the app from the phone: its token is dead from now on."""
        self._phones.remove(self._phone(request), now=self._clock())
        return web.Response(status=204)

    async def screen(self, request: web.Request) -> web.StreamResponse:
        """What the phone shows, newest first."""
        screen = self._phones.screen(self._phone(request))
        return web.json_response([arrival.as_json() for arrival in screen.arrivals])

    async def clear(self, request: web.Request) -> web.StreamResponse:
        """Wipe the phone's screen."""
        self._phones.clear(self._phone(request))
        return web.Response(status=204)

    async def banners(self, request: web.Request) -> web.StreamResponse:
        """All arrivals after a sequence number, oldest first."""
        after = number(request.query.get("after", "0"))
        return web.json_response([a.as_json() for a in self._phones.history(after)])

    async def refusals(self, request: web.Request) -> web.StreamResponse:
        """The requests that were refused, oldest first, with the reason in plain words."""
        after = number(request.query.get("after", "0"))
        found = [asdict(refusal) for refusal in self._gateway.refusals if refusal.seq > after]
        return web.json_response(found)

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events: `banner` for an arrival, `phones` when to fetch the list again."""
        after = request.headers.get("Last-Event-ID") or request.query.get("after")
        missed = self._phones.history(number(after)) if after else []
        with self._listeners.join() as listener:
            stream = EventStream(request)
            await stream.open()
            for arrival in missed:
                await stream.send("banner", arrival.as_json(), event_id=arrival.seq)
            await stream.follow(listener)
        return stream.response

    def _phone(self, request: web.Request) -> Phone:
        phone = self._phones.get(request.match_info["id"])
        if phone is None or phone.dead_since is not None:
            raise problem(404, "no such phone")
        return phone

    def _describe(self, phone: Phone) -> dict[str, Any]:
        is_web = phone.platform == "webpush"
        return {
            "id": phone.id,
            "platform": phone.platform,
            "application_id": phone.application_id,
            "owner": phone.owner,
            "name": phone.name,
            "registration_id": self._endpoint(phone) if is_web else phone.address,
            "p256dh": phone.p256dh,
            "auth": phone.auth,
            "online": phone.online,
            "silenced": phone.silenced,
            "counts": dict(self._phones.screen(phone).counts),
        }

    def _arrived(self, arrival: Arrival) -> None:
        if self._listeners:
            self._listeners.tell("banner", arrival.as_json(), event_id=arrival.seq)

    def _refused(self) -> None:
        self._listeners.tell("refused", {"count": len(self._gateway.refusals)})

    def _changed(self) -> None:
        self._listeners.tell("phones", {})
