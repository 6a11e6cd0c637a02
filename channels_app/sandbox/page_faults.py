"""The part of the page's API that orders faults."""

from collections.abc import Callable

from aiohttp import web

from channels_app.sandbox.faults import SCOPES, BadFault, Faults, parse
from channels_app.sandbox.page_requests import is_count, json_object, number, problem, text


class FaultCalls:
    """Handlers for `/api/faults`."""

    def __init__(self, faults: Faults, is_phone: Callable[[str], bool]) -> None:
        self._faults = faults
        self._is_phone = is_phone

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """The routes."""
        router.add_get("/api/faults", self.show)
        router.add_post("/api/faults", self.order)
        router.add_delete("/api/faults", self.clear)
        router.add_delete("/api/faults/{id}", self.clear)

    async def show(self, _: web.Request) -> web.StreamResponse:
        """The faults still to be played, in their order."""
        return web.json_response([o.as_json() for o in self._faults.orders])

    async def order(self, request: web.Request) -> web.StreamResponse:
        """Order a fault: `scope`, `fault`, `times` (null: until cleared), `skip`."""
        content = await json_object(request)
        scope = text(content, "scope")
        times, skip = content.get("times", 1), content.get("skip", 0)
        if scope not in SCOPES and not self._is_phone(scope):
            raise problem(400, f"scope is a phone's id or one of {', '.join(SCOPES)}")
        if times is not None and not (is_count(times) and times > 0):
            raise problem(400, "times is a number from 1, or null")
        if not is_count(skip):
            raise problem(400, "skip is a number from 0")
        try:
            fault = parse(content.get("fault"))
        except BadFault as error:
            raise problem(400, str(error)) from error
        ordered = self._faults.add(scope=scope, fault=fault, times=times, skip=skip)
        return web.json_response(ordered.as_json(), status=201)

    async def clear(self, request: web.Request) -> web.StreamResponse:
        """Forget one fault, or all."""
        order_id = request.match_info.get("id")
        self._faults.clear(None if order_id is None else number(order_id))
        return web.Response(status=204)
