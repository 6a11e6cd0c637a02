"""What the app on a phone does when "Claim" is tapped on its lock screen: it asks its server.

The app is closed, so it has nothing but the banner's data and what its keychain holds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aiohttp
from aiohttp import web

from channels_app.sandbox.page_requests import json_object, problem, text
from channels_app.sandbox.phones import Arrival, Phone, PhoneBook

CLAIM = "/api/v1/actions/claim/"
SECONDS = 10.0
ANSWER_BYTES = 65_536


class Taps:
    """`POST /api/phones/<id>/taps` with `{"seq", "action": "claim"}`."""

    def __init__(
        self, phones: PhoneBook, app_url: str, phone_of: Callable[[web.Request], Phone]
    ) -> None:
        self._phones = phones
        self._app_url = app_url.rstrip("/")
        self._phone_of = phone_of

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """The routes of taps."""
        router.add_post("/api/phones/{id}/taps", self.tap)

    async def tap(self, request: web.Request) -> web.StreamResponse:
        """Tap a button: the banner goes from the screen, and the server's answer comes back."""
        phone = self._phone_of(request)
        content = await json_object(request)
        arrival = self._shown(phone, content.get("seq"))
        action = text(content, "action")
        if action not in (key for key, _ in arrival.banner.actions):
            raise problem(400, "the banner has no such button")
        token = arrival.banner.data.get("action_token")
        if action != "claim" or not isinstance(token, str):
            raise problem(501, "this app can claim, and nothing else")
        if not self._app_url:
            raise problem(501, "the sandbox was started without --app-url: the app has no server")
        self._phones.dismiss(phone, arrival)
        status, answer = await self._claim(phone, token)
        return web.json_response({"status": status, "answer": answer})

    def _shown(self, phone: Phone, seq: object) -> Arrival:
        for arrival in self._phones.screen(phone).arrivals:
            if arrival.seq == seq:
                return arrival
        raise problem(404, "no such banner is on the screen")

    async def _claim(self, phone: Phone, token: str) -> tuple[int, Any]:
        content = {
            "action_token": token,
            "installation_id": phone.installation_id,
            "installation_secret": phone.installation_secret,
        }
        timeout = aiohttp.ClientTimeout(total=SECONDS)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.post(self._app_url + CLAIM, json=content, allow_redirects=False) as answer,
            ):
                body = await answer.content.read(ANSWER_BYTES)
                return answer.status, body.decode(errors="replace")
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise problem(502, f"the app's server does not answer: {error}") from error
