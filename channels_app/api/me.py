"""The caller: who they are, where they belong, their language and time zone."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from channels_app import capabilities, people
from channels_app.api import etags
from channels_app.api.fields import Body, LanguageField, TimeZoneField
from channels_app.api.views import ApiView
from channels_app.capabilities import Capability
from channels_app.models import User


class OrganizationBody(Body):
    slug = serializers.SlugField(help_text="As in `/api/v1/<org>/` and in every link.")
    name = serializers.CharField()


class MembershipBody(Body):
    organization = OrganizationBody()
    capabilities = serializers.ListField(
        child=serializers.ChoiceField(choices=[(one.value, one.value) for one in Capability]),
        help_text="`respond`: may answer the customers of a bot. `operate`: has the admin.",
    )


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Alice",
            response_only=True,
            value={
                "id": 7,
                "username": "alice",
                "name": "Alice Smith",
                "locale": "de",
                "time_zone": "Europe/Vienna",
                "memberships": [
                    {
                        "organization": {"slug": "acme", "name": "Acme"},
                        "capabilities": ["respond"],
                    }
                ],
            },
        ),
        OpenApiExample(
            "As the phone says it",
            request_only=True,
            value={"locale": "de-AT", "time_zone": "Europe/Vienna"},
        ),
    ]
)
class MeBody(Body):
    id = serializers.IntegerField(read_only=True)
    username = serializers.CharField(read_only=True)
    name = serializers.CharField(read_only=True, source="get_full_name")
    locale = LanguageField(help_text="Language of banners: a BCP 47 tag. The nearest one is kept.")
    time_zone = TimeZoneField(help_text="IANA name; quiet hours are by its wall clock.")
    memberships = MembershipBody(many=True, read_only=True)


class MeView(ApiView[User]):
    """`/api/v1/me/`"""

    tag = "Me"
    serializer_class = MeBody

    @extend_schema(operation_id="me_get")
    def get(self, request: Request) -> Response:
        """Who am I

        The first request of an app after it got a token: whose it is, the organizations in which
        they are active, and what they may do there.
        """
        return Response(self._body())

    @extend_schema(operation_id="me_change")
    def patch(self, request: Request) -> Response:
        """Change my language or time zone

        Send what the phone says, at each start: the tag is matched to the languages that banners
        are written in.
        """
        body = MeBody(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        with people.one_change(self.person):
            etags.check_unchanged(request, self._body())
            people.localize(user=self.person, now=timezone.now(), **body.validated_data)
        return Response(self._body())

    def _body(self) -> dict[str, Any]:
        memberships = list(
            self.person.memberships.filter(active=True)
            .select_related("organization")
            .order_by("organization__name", "pk")
        )
        held = capabilities.of(self.person, [row.organization_id for row in memberships])
        return MeBody(
            {
                "id": self.person.pk,
                "username": self.person.username,
                "get_full_name": self.person.get_full_name(),
                "locale": self.person.locale or settings.LANGUAGE_CODE,
                "time_zone": self.person.time_zone or settings.TIME_ZONE,
                "memberships": [
                    {"organization": row.organization, "capabilities": held[row.organization_id]}
                    for row in memberships
                ],
            }
        ).data
