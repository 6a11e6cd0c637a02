"""Why: the page that answers for an event and a member, and the one that answers *what if*."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from channels_app import why
from channels_app.admin import cells, scope
from channels_app.admin.unfolded import OneChoice, TextBlock, TextLine, UnfoldAdmin, action
from channels_app.admin.why_answers import shown
from channels_app.models import Event, Membership, Notification, Source, Subscription
from channels_app.why import Answer, NotImaginable

MINUTE = "%Y-%m-%dT%H:%M"


def explanation_address(event_id: int, membership_id: int | None = None) -> str:
    """The page that answers for an event, and for this member at once."""
    address = reverse("admin:chatbot_event_why", args=[event_id])
    return f"{address}?{urlencode({'member': membership_id})}" if membership_id else address


def rehearsal_address(**given: object) -> str:
    """The page of *what if*, with some of its questions answered."""
    address = reverse("admin:chatbot_event_what_if")
    return f"{address}?{urlencode(given)}" if given else address


class ScopedForm(forms.Form):
    """Offers and accepts only what its reader may see."""

    def __init__(self, request: HttpRequest, data: Mapping[str, Any] | None) -> None:
        super().__init__(data)
        own = scope.of_request(request)
        members = Membership.objects.filter(organization__in=own)
        self._offer(
            "member",
            members.select_related("user", "organization"),
            Notification._meta.get_field("membership"),
        )
        if "source" in self.fields:
            self._offer(
                "source",
                Source.objects.filter(organization__in=own),
                Subscription._meta.get_field("source"),
            )

    def _offer(self, name: str, rows: QuerySet[Any], like: Any) -> None:
        """The rows, to be searched for as on the page that has this foreign key."""
        field = self.fields[name]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = rows
        field.widget = AutocompleteSelect(like, admin.site, choices=field.choices)


class ExplanationForm(ScopedForm):
    """About whom."""

    member = forms.ModelChoiceField(Membership.objects.none(), label="Member")


class RehearsalForm(ScopedForm):
    """What, to whom, when."""

    type = forms.ChoiceField(
        choices=[(name, name) for name in why.TOLD], label="Event", widget=OneChoice()
    )
    source = forms.ModelChoiceField(Source.objects.none(), label="Bot or workflow")
    member = forms.ModelChoiceField(Membership.objects.none(), label="Member")
    at = forms.DateTimeField(label="When (UTC)", widget=TextLine(attrs={"type": "datetime-local"}))
    content = forms.JSONField(
        required=False,
        label="Fields of its data (JSON)",
        help_text='Such as {"consecutive_unanswered": 2}. What is left out is as usual.',
        widget=TextBlock(attrs={"rows": 2}),
    )

    def answer(self) -> Answer | None:
        """What would be decided; None: it cannot be imagined, and the form says why."""
        wanted = self.cleaned_data
        member, source = wanted["member"], wanted["source"]
        if member.organization_id != source.organization_id:
            self.add_error("source", "It belongs to another organization than the member.")
            return None
        if not isinstance(wanted["content"], dict | None):
            self.add_error("content", "It must be a JSON object.")
            return None
        try:
            return why.rehearse(
                membership=member,
                source=source,
                type=wanted["type"],
                at=wanted["at"],
                now=timezone.now(),
                data=wanted["content"],
            )
        except NotImaginable as error:
            for fault in error.faults:
                name = fault.pointer.split("/")[1]
                self.add_error(
                    "content" if name == "data" else name,
                    f"{fault.pointer.removeprefix('/')} {fault.detail}",
                )
            return None


class WhyPages(UnfoldAdmin[Event]):
    """The pages of `why`, for the admin of events."""

    @action(description="Why?", permissions=["explain"], url_path="ask-why", icon="help")
    def why_of_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return redirect("admin:chatbot_event_why", int(object_id))

    def has_explain_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Answers are made of notifications."""
        return request.user.has_perm("chatbot.view_notification")

    def get_urls(self) -> list[URLPattern]:
        """These come first: whatever else follows an event's number, Django looks up last."""
        view = self.admin_site.admin_view
        return [
            path("what-if/", view(self.what_if_view), name="chatbot_event_what_if"),
            path("<int:event_id>/why/", view(self.why_view), name="chatbot_event_why"),
            *super().get_urls(),
        ]

    def why_view(self, request: HttpRequest, event_id: int) -> HttpResponse:
        """Why a member was told of this event, or was not; asked for by `?member=`."""
        self._let_in(request)
        event = self.get_object(request, str(event_id))
        if event is None:
            raise Http404
        asked = "member" in request.GET
        form = ExplanationForm(request, request.GET if asked else None)
        answer = None
        if asked and form.is_valid():
            user = form.cleaned_data["member"].user
            answer = why.explain(event_id=event.pk, user=user, now=timezone.now())
        context = {
            "title": f"Why? {event}",
            "original": event,
            "event_address": cells.page(event),
            "what_if": _what_if(event, answer),
        }
        return self._page(request, "admin/chatbot/why.html", form, answer, context)

    def what_if_view(self, request: HttpRequest) -> HttpResponse:
        """What would be decided of an event that nobody sent.

        Asked for if there is a moment: links to this page fill in everything else.
        """
        self._let_in(request)
        asked = "at" in request.GET
        data = request.GET.copy()
        data.setdefault("at", timezone.now().strftime(MINUTE))
        data.setdefault("content", "")
        form = RehearsalForm(request, data)
        answer = form.answer() if asked and form.is_valid() else None
        if not asked:
            form.errors.clear()
        return self._page(
            request, "admin/chatbot/what_if.html", form, answer, {"title": "What if?"}
        )

    def _let_in(self, request: HttpRequest) -> None:
        if not (self.has_view_permission(request) and self.has_explain_permission(request)):
            raise PermissionDenied

    def _page(
        self,
        request: HttpRequest,
        template: str,
        form: forms.Form,
        answer: Answer | None,
        context: dict[str, Any],
    ) -> HttpResponse:
        return TemplateResponse(
            request,
            template,
            {
                **self.admin_site.each_context(request),
                **context,
                "opts": self.opts,
                "form": form,
                "media": form.media,
                "answer": shown(answer) if answer else None,
            },
            status=HTTPStatus.BAD_REQUEST if form.errors else HTTPStatus.OK,
        )


def _what_if(event: Event, answer: Answer | None) -> str:
    """The same event, to be imagined; empty: it cannot be."""
    if event.type not in why.TOLD or event.source_id is None:
        return ""
    given: dict[str, object] = {"type": event.type, "source": event.source_id}
    if answer is not None and answer.membership_id is not None:
        given["member"] = answer.membership_id
    return rehearsal_address(**given)
