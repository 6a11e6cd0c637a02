"""Reachability: who would hear of a bot's customers, and the bots of which nobody would."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from channels_app.admin import cells, scope, words
from channels_app.admin.base import OrganizationScopedAdmin, ReadOnly
from channels_app.admin.dashboard import Tile
from channels_app.admin.filters import organization_filter
from channels_app.models import Bot, Organization
from channels_app.routing import Outcome
from claims import reachability
from claims.models import Unreachable
from claims.reachability import Person, Reachability

TOLD = "Would be told now"
SOUGHT = "Not by the first call, but by a later wave of the ladder"
LATER = "Not now, but at other hours"
NEVER = "Not at all, as it is set"


def page_of(bot_id: int) -> str:
    """The address of a bot's page here."""
    return reverse("admin:claims_unreachable_bot", args=[bot_id])


@admin.register(Unreachable)
class UnreachableAdmin(ReadOnly, OrganizationScopedAdmin[Unreachable]):
    """The list is of bots that nobody can be told of; each bot has a page, reachable or not."""

    organization_path = "bot__organization"
    list_display = ("name", "organization", "since_when", "lasts")
    list_select_related = ("bot__organization",)
    list_filter = (organization_filter("bot__organization"),)
    search_fields = ("bot__name", "bot__external_id__exact")
    ordering = ("since",)
    fieldsets = (
        (None, {"fields": (("bot_link", "organization", "since_when"),)}),
        ("If a customer called now", {"fields": ("who",)}),
    )
    readonly_fields = ("bot_link", "organization", "since_when", "who")

    since_when = cells.instant_of("since", "Since")
    bot_link = cells.link_of("bot", "Bot")
    organization = cells.link_of("bot.organization", "Organization")

    @admin.display(description="Bot", ordering="bot__name")
    def name(self, row: Unreachable) -> str:
        return row.bot.name

    @admin.display(description="For")
    def lasts(self, row: Unreachable) -> str:
        return cells.took(timezone.now() - row.since)

    @admin.display(description="Who would be told")
    @cells.once
    def who(self, row: Unreachable) -> str:
        bot = Bot.objects.select_related("organization").get(pk=row.bot_id)
        return render_to_string("admin/claims/reachability.html", _context(bot, timezone.now()))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.bot_view)
        return [
            path("bots/<int:bot_id>/", view, name="claims_unreachable_bot"),
            *super().get_urls(),
        ]

    def bot_view(self, request: HttpRequest, bot_id: int) -> HttpResponse:
        """Who could be told of this bot's customers now, and why not the others."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        own = Bot.objects.filter(organization__in=scope.of_request(request))
        bot = own.select_related("organization").filter(pk=bot_id).first()
        if bot is None:
            raise Http404
        return TemplateResponse(
            request,
            "admin/claims/reachability_page.html",
            {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "title": f"Who can be told: {bot.name}",
                "page": cells.page(bot),
                **_context(bot, timezone.now()),
            },
        )


def _context(bot: Bot, now: datetime) -> dict[str, Any]:
    found = reachability.of_bot(bot, organization=bot.organization, now=now)
    return {
        "bot": bot,
        "found": found,
        "groups": [group for group in _groups(found) if group["people"]],
        "since": cells.instant(found.unreachable_since) if found.unreachable_since else "",
        "channel": cells.page(bot.organization),
        "roles": cells.listing("chatbot_role", organization=bot.organization_id),
        "members": cells.listing("chatbot_membership", organization=bot.organization_id),
    }


def _groups(found: Reachability) -> list[dict[str, Any]]:
    kinds: dict[str, list[Person]] = {title: [] for title in (TOLD, SOUGHT, LATER, NEVER)}
    for person in found.people:
        kinds[_kind(person)].append(person)
    return [_group(title, people) for title, people in kinds.items()]


def _kind(person: Person) -> str:
    if person.told:
        return TOLD
    if not person.able:
        return NEVER
    return SOUGHT if person.answer.outcome is Outcome.NOT_SUBSCRIBED else LATER


def _group(title: str, people: list[Person]) -> dict[str, Any]:
    return {
        "title": title,
        "told": title == TOLD,
        "people": [_person(person) for person in people],
    }


def _person(person: Person) -> dict[str, Any]:
    answer = person.answer
    return {
        "name": answer.person,
        "page": cells.page(person.membership),
        "outcome": words.word(words.OUTCOMES, answer.outcome),
        "sentence": answer.sentence,
        "place": answer.place,
        "devices": [
            {"name": one.name, "word": words.word(words.IMAGINED, one.state)}
            for one in answer.devices
        ],
    }


def tiles(organizations: QuerySet[Organization]) -> list[Tile]:
    """For the first page: how many bots there are of which nobody can be told."""
    bots = Unreachable.objects.filter(bot__organization__in=organizations).count()
    return [
        Tile(
            "Unreachable bots",
            f"{bots:,}",
            "whose customers nobody could be told of",
            cells.listing("claims_unreachable"),
            bots > 0,
        )
    ]
