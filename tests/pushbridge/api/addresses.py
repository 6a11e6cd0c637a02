"""A few endpoints of `/api/` that only the tests have: they go wrong in every way there is."""

from __future__ import annotations

from http import HTTPStatus

from django.core.exceptions import PermissionDenied
from django.db import OperationalError, ProgrammingError
from django.http import Http404
from django.urls import include, path
from rest_framework import serializers
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.response import Response

from channels_app.api.fields import Body
from channels_app.api.views import ApiView, MemberView
from channels_app.limits import Limit
from channels_app.models import Organization, User
from channels_app.problems import Fault, Problem
from pushbridge.urls import handler400, handler404, handler500

__all__ = ["handler400", "handler404", "handler500"]

FAILURES: dict[str, Exception] = {
    "conflict": Problem(
        HTTPStatus.CONFLICT,
        "Somebody else holds it.",
        faults=[Fault("/epoch", "is over")],
        extra={"holder": "Bob"},
        headers={"X-Holder": "Bob"},
    ),
    "not-found": Http404("Organization 7 of Acme"),
    "forbidden": PermissionDenied("you are not Bob"),
    "framework": Throttled(wait=3.2),
    "outage": OperationalError("server closed the connection, host=db.internal"),
    "refused-by-database": ProgrammingError("column secret does not exist"),
    "defect": ZeroDivisionError("in the secret part"),
}


class FailingView(ApiView[User]):
    def get(self, request: Request, name: str) -> Response:
        raise FAILURES[name]


class WindowBody(Body):
    start = serializers.TimeField()
    days = serializers.ListField(child=serializers.IntegerField(max_value=7))

    def validate(self, window: dict[str, object]) -> dict[str, object]:
        if not window["days"]:
            raise serializers.ValidationError("names no day")
        return window


class ScheduleBody(Body):
    zone = serializers.CharField(source="time_zone")
    windows = WindowBody(many=True)


class ScheduleView(ApiView[User]):
    def post(self, request: Request) -> Response:
        body = ScheduleBody(data=request.data)
        body.is_valid(raise_exception=True)
        return Response({"windows": len(body.validated_data["windows"])})


class TightView(ApiView[User]):
    limits = (Limit("tight", 3, 3600),)

    def get(self, request: Request) -> Response:
        return Response({})


class OwnOrganizationView(MemberView[Organization]):
    def get(self, request: Request, org: str) -> Response:
        return Response({"name": self.membership.organization.name})

    post = delete = get


urlpatterns = [
    path("api/test/failing/<name>/", FailingView.as_view()),
    path("api/test/schedule/", ScheduleView.as_view()),
    path("api/test/tight/", TightView.as_view()),
    path("api/test/<slug:org>/", OwnOrganizationView.as_view()),
    path("", include("pushbridge.urls")),
]
