"""The bases of every endpoint: who asks, in which organization, how often, and what is sent."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, ClassVar, TypeVar

from django.db.models import Model
from django.http import HttpRequest, HttpResponseBase
from django.utils import translation
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from channels_app import languages
from channels_app.api import etags, rates
from channels_app.limits import Limit, Meter
from channels_app.models import Membership, User
from channels_app.problems import Problem

M = TypeVar("M", bound=Model)


class ApiView(GenericAPIView[M]):
    """An endpoint for a person: their own things, in whatever organization.

    Attributes:
        tag: the group of the documentation page that it stands in.
        limits: further limits than those of every endpoint; each person has them.
        meters: how the limits stand after this request.
    """

    # Not OPTIONS: REST framework's answer to it is for forms that it draws itself.
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    tag: ClassVar[str] = ""
    limits: ClassVar[Sequence[Limit]] = ()
    meters: Sequence[Meter] = ()

    @property
    def person(self) -> User:
        """Who asks. Nobody else gets past `initial`."""
        user = self.request.user
        assert isinstance(user, User)
        return user

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Negotiate, authenticate, check the scope and the limits; then speak their language."""
        super().initial(request, *args, **kwargs)
        translation.activate(languages.best(self.person.locale))

    def check_throttles(self, request: Request) -> None:
        """Raises Problem: 429."""
        self.meters = rates.take(request, self.limits)
        rates.refuse(self.meters)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer in the person's language, and only what the caller does not have already."""
        # Ends with the language that it began with: the thread answers others after this.
        with translation.override(translation.get_language()):
            response = super().dispatch(request, *args, **kwargs)
            for name, value in rates.headers(self.meters).items():
                response[name] = value
            if not isinstance(response, Response):
                # A stream: it is never the same, and tells the caller itself what is new.
                return response
            response.render()
        if request.method not in ("GET", "HEAD"):
            return response
        return etags.conditional(request, response)

    def page(self, rows: Any) -> Response:
        """One page of a queryset, each row through the view's serializer."""
        serializer = self.get_serializer(self.paginate_queryset(rows), many=True)
        return self.get_paginated_response(serializer.data)


class MemberView(ApiView[M]):
    """An endpoint under `/api/v1/<org>/`: of an organization that the caller belongs to.

    Attributes:
        membership: the caller's own, active; `membership.organization` is loaded. Every queryset
            starts here.
    """

    membership: Membership

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Raises Problem: 404 where the caller is no active member, as if there were nothing."""
        super().initial(request, *args, **kwargs)
        membership = (
            Membership.objects.select_related("organization")
            .filter(user=self.person.pk, organization__slug=kwargs["org"], active=True)
            .first()
        )
        if membership is None:
            raise Problem(HTTPStatus.NOT_FOUND, "You belong to no such organization.")
        self.membership = membership
