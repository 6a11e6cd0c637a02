"""How often somebody may ask: each person, each app, and what costs more, by its own limit."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from http import HTTPStatus

from django.conf import settings
from rest_framework.request import Request

from channels_app import limits
from channels_app.api.credentials import Credential
from channels_app.limits import Limit, Meter
from channels_app.problems import Problem


def take(request: Request, further: Iterable[Limit]) -> list[Meter]:
    """Use one request of all limits that apply to this one, in one step."""
    person = str(request.user.pk)
    wanted = [(Limit("user", *settings.API_USER_LIMIT), person)]
    if isinstance(request.auth, Credential) and request.auth.client:
        wanted.append((Limit("client", *settings.API_CLIENT_LIMIT), request.auth.client))
    wanted += [(limit, person) for limit in further]
    return limits.take(wanted)


def refuse(meters: Sequence[Meter]) -> None:
    """Raises Problem: 429 with Retry-After, if one of the limits was used up."""
    longest = max(meters, key=lambda meter: meter.retry_after)
    if not longest.retry_after:
        return
    seconds = math.ceil(longest.retry_after)
    raise Problem(
        HTTPStatus.TOO_MANY_REQUESTS,
        f"More than {longest.limit.count} requests in {longest.limit.seconds} seconds"
        f" (limit {longest.limit.name!r}). Ask again in {seconds} seconds.",
        headers={"Retry-After": str(seconds)},
    )


def headers(meters: Sequence[Meter]) -> dict[str, str]:
    """The RateLimit header fields of draft-ietf-httpapi-ratelimit-headers."""
    if not meters:
        return {}
    return {
        "RateLimit-Policy": ", ".join(
            f'"{meter.limit.name}";q={meter.limit.count};w={meter.limit.seconds}'
            for meter in meters
        ),
        "RateLimit": ", ".join(
            f'"{meter.limit.name}";r={meter.remaining};t={math.ceil(meter.reset_after)}'
            for meter in meters
        ),
    }
