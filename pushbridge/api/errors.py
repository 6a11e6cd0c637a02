"""Every error of `/api/` as problem details, whoever raised it: REST framework, Django, or we."""

from __future__ import annotations

import math
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied
from django.db import Error
from django.http import Http404, HttpRequest, HttpResponse
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from channels_app.outages import is_outage
from channels_app.problems import CONTENT_TYPE, Fault, Problem
from channels_app.strict_json import escape
from pushbridge.problems import response

log = structlog.get_logger(__name__)

PREFIX = "/api/"
RETRY_AFTER_SECONDS = 5


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """REST framework's exception handler. None, for what is a defect of ours, becomes a 500."""
    problem = _problem(error, context["view"])
    if problem is None:
        return None
    return Response(
        problem.members(), problem.status, content_type=CONTENT_TYPE, headers=problem.headers
    )


def _problem(error: Exception, view: APIView) -> Problem | None:
    match error:
        case Problem():
            return error
        case exceptions.ValidationError():
            faults = list(_faults(error.detail, ""))
            return Problem(HTTPStatus.BAD_REQUEST, "This body cannot be used.", faults=faults)
        case exceptions.MethodNotAllowed():
            return Problem(
                HTTPStatus.METHOD_NOT_ALLOWED,
                f"This address takes {', '.join(view.allowed_methods)}.",
                headers={"Allow": ", ".join(view.allowed_methods)},
            )
        case exceptions.UnsupportedMediaType():
            return Problem(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "A body must be application/json, in UTF-8."
            )
        case exceptions.NotAcceptable():
            kinds = ", ".join(one.media_type for one in view.renderer_classes)
            return Problem(HTTPStatus.NOT_ACCEPTABLE, f"Answers are {kinds} only.")
        case exceptions.APIException():
            return _problem_of_framework(error)
        case Http404():
            return Problem(HTTPStatus.NOT_FOUND, "There is no such thing.")
        case PermissionDenied():
            return Problem(HTTPStatus.FORBIDDEN, "You may not do this.")
        case Error() if is_outage(error):
            log.error("api.database_unavailable", error=str(error))
            return Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "The database cannot be reached just now. Ask again.",
                headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
            )
    return None


def _problem_of_framework(error: exceptions.APIException) -> Problem:
    headers = {}
    if auth_header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = auth_header
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(math.ceil(wait))
    return Problem(HTTPStatus(error.status_code), str(error.detail), headers=headers)


def _faults(detail: Any, pointer: str) -> Iterator[Fault]:
    """REST framework's tree of errors, each with the place that it is about."""
    if isinstance(detail, dict):
        for key, found in detail.items():
            own = key == api_settings.NON_FIELD_ERRORS_KEY
            yield from _faults(found, pointer if own else f"{pointer}/{escape(str(key))}")
    elif isinstance(detail, list) and any(isinstance(found, dict | list) for found in detail):
        # A list of many: an element that is right has no errors.
        for index, found in enumerate(detail):
            yield from _faults(found, f"{pointer}/{index}")
    elif isinstance(detail, list):
        yield from (Fault(pointer, str(found)) for found in detail)
    else:
        yield Fault(pointer, str(detail))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400: what Django itself refuses, before any view."""
    if not request.path.startswith(PREFIX):
        return defaults.bad_request(request, exception)
    return response(Problem(HTTPStatus.BAD_REQUEST, "This request cannot be read."))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404: addresses that nothing answers."""
    if not request.path.startswith(PREFIX):
        return defaults.page_not_found(request, exception)
    return response(Problem(HTTPStatus.NOT_FOUND, "There is no such address."))


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500: a defect of ours, which is logged and not told."""
    if not request.path.startswith(PREFIX):
        return defaults.server_error(request)
    return response(Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "This is a defect of ours."))
