"""The noise advisor's page, and the button that takes its advice."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from channels_app import advisor, policies
from channels_app.admin import advisor_words, cells, scope
from channels_app.admin.advisor_words import percent, share
from channels_app.admin.policies import default
from channels_app.admin.unfolded import UnfoldAdmin
from channels_app.admin.words import LEVELS
from channels_app.advisor import Report
from channels_app.levels import Level
from channels_app.models import Organization
from channels_app.preferences import SETTABLE


class TakenAdvice(forms.Form):
    """A type of event, and the level that was advised for it. Nothing louder is ever advised."""

    organization = forms.IntegerField()
    type = forms.ChoiceField(choices=[(name, name) for name in SETTABLE])
    level = forms.ChoiceField(choices=[(level, level) for level in (Level.OFF, Level.QUIET)])


class AdvisorPages(UnfoldAdmin[Organization]):
    """The page of the advisor, for the admin of organizations."""

    def get_urls(self) -> list[URLPattern]:
        """These come first: whatever else follows, Django takes for an organization's number."""
        view = self.admin_site.admin_view
        taken = view(require_POST(self.take_advice_view))
        return [
            path("advisor/", view(self.advisor_view), name="chatbot_organization_advisor"),
            path("advisor/take/", taken, name="chatbot_organization_take_advice"),
            *super().get_urls(),
        ]

    def advisor_view(self, request: HttpRequest) -> HttpResponse:
        """What went out last week in one of the reader's organizations: `?organization=`."""
        self._let_in(request)
        own = scope.of_request(request).order_by("name", "pk")
        chosen = request.GET.get("organization", "")
        organization = own.filter(pk=int(chosen)).first() if chosen.isdecimal() else own.first()
        if chosen and organization is None:
            raise Http404
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": "Noise advisor",
            "opts": self.opts,
            "organization": organization,
            "organizations": own[:200],
        }
        if organization is not None:
            report = advisor.report(organization_id=organization.pk, now=timezone.now())
            context |= shown(report, organization)
            context["may_change"] = self.has_change_permission(request, organization)
        return TemplateResponse(request, "admin/chatbot/advisor.html", context)

    def take_advice_view(self, request: HttpRequest) -> HttpResponse:
        """Set the level that was advised for a type, for everyone who has set none."""
        form = TakenAdvice(request.POST)
        if not form.is_valid():
            return HttpResponseBadRequest("No advice of the advisor's.")
        organization = self.get_object(request, str(form.cleaned_data["organization"]))
        if organization is None:
            raise Http404
        if not self.has_change_permission(request, organization):
            raise PermissionDenied
        type, level = form.cleaned_data["type"], Level(form.cleaned_data["level"])
        before = policies.of(organization.pk).levels.get(type)
        policies.arrange(organization_id=organization.pk, channels={}, levels={type: level})
        told = _told(type, level, before)
        self.log_change(request, organization, told)
        self.message_user(request, told, messages.SUCCESS)
        address = reverse("admin:chatbot_organization_advisor")
        return redirect(f"{address}?organization={organization.pk}")

    def _let_in(self, request: HttpRequest) -> None:
        """It is made of notifications, and shows the settings of organizations."""
        may = self.has_view_permission(request) and request.user.has_perm(
            "chatbot.view_notification"
        )
        if not may:
            raise PermissionDenied


def shown(report: Report, organization: Organization) -> dict[str, Any]:
    """The context of `admin/chatbot/advisor.html`."""
    total = report.total
    most = max((line.tally.banners for line in report.lines), default=0)
    silence = advisor_words.SILENCES[report.silence] if report.silence else None
    return {
        "since": cells.instant(report.since),
        "report": report,
        "total": total,
        "opened": share(total.opened, total.known),
        "rings": percent(total.rings, total.banners),
        "unknown": total.told - total.known,
        "silence": silence,
        "advice": advisor_words.cards(report, organization),
        "missed": [
            {
                "source": report.sources[one.source_id],
                "calls": one.calls,
                "missed": one.missed,
                "address": cells.page(report.sources[one.source_id]),
            }
            for one in report.missed
            if one.source_id in report.sources
        ],
        "lines": [advisor_words.line(row, report, most=most) for row in report.lines],
    }


def _told(type: str, level: Level, before: Level | None) -> str:
    """What was done, and what to set to undo it."""
    word = LEVELS[before].label.lower() if before else f"as by default ({default(SETTABLE[type])})"
    return (
        f"“{advisor_words.name(type)}” is {LEVELS[level].label.lower()} now for everyone who has"
        f" set no level of their own; it was {word}."
    )
