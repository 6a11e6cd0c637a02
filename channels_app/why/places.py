"""Where the setting that decided can be changed: in the admin, and by a member in an app."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from urllib.parse import quote

from django.urls import reverse
from django.utils.translation import gettext, gettext_noop

from channels_app.models import Membership, Organization, Source
from channels_app.routing import Outcome, Setting
from channels_app.why.answers import NoOutcome, Place


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """What a setting may belong to."""

    organization: Organization
    membership: Membership
    source: Source | None
    event_type: str
    channel: str


class Page(Enum):
    """The pages of the admin that settings are on."""

    ORGANIZATION = auto()
    MEMBERSHIP = auto()
    SOURCE = auto()
    ROLES = auto()
    DEVICES = auto()


class Endpoint(Enum):
    """The parts of a member's API that settings are at."""

    TYPE = auto()
    TYPE_OF_SOURCE = auto()
    SUBSCRIPTION = auto()
    CHANNEL = auto()
    QUIET_HOURS = auto()
    SNOOZES = auto()
    DEVICES = auto()


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a setting is kept.

    Attributes:
        part: the anchor of its part of the page, for a `{type}` and a `{channel}`.
        api: what has it in the API; None: it is the operators' alone.
    """

    words: str
    advice: str
    page: Page
    part: str = ""
    api: Endpoint | None = None


OPERATORS = gettext_noop("Operators change it in the admin.")
EITHER = gettext_noop("Members change it in the app, operators on the member's page.")
# How the fields of an organization's page are called; the channel or the type follows.
CHANNEL_FIELD = "channel_"
TYPE_FIELD = "type_"

KEPT: Mapping[str, Kept] = {
    Setting.CATALOGUE: Kept(
        gettext_noop("the default of this type"),
        gettext_noop("Operators may set another for everybody, members one for themselves."),
        Page.ORGANIZATION,
        f"id_{TYPE_FIELD}{{type}}",
        Endpoint.TYPE,
    ),
    Setting.TYPE_POLICY: Kept(
        gettext_noop("the organization's level for this type"),
        gettext_noop("Operators change it for everybody; members may set one for themselves."),
        Page.ORGANIZATION,
        f"id_{TYPE_FIELD}{{type}}",
        Endpoint.TYPE,
    ),
    Setting.TYPE_LEVEL: Kept(
        gettext_noop("the personal level for this type"),
        EITHER,
        Page.MEMBERSHIP,
        "preferences-group",
        Endpoint.TYPE,
    ),
    Setting.SOURCE_LEVEL: Kept(
        gettext_noop("the personal level for this type from this source"),
        EITHER,
        Page.MEMBERSHIP,
        "preferences-group",
        Endpoint.TYPE_OF_SOURCE,
    ),
    Setting.SUBSCRIPTION: Kept(
        gettext_noop("the subscription to the source"),
        EITHER,
        Page.MEMBERSHIP,
        "subscriptions-group",
        Endpoint.SUBSCRIPTION,
    ),
    Setting.CHANNEL_POLICY: Kept(
        gettext_noop("the organization's switch for the channel"),
        OPERATORS,
        Page.ORGANIZATION,
        f"id_{CHANNEL_FIELD}{{channel}}",
    ),
    Setting.RESPOND: Kept(
        gettext_noop("the permission to respond to the bot's customers (chatbot.respond)"),
        gettext_noop("Operators give it to a role, on the role's page."),
        Page.ROLES,
    ),
    Setting.UNANSWERED_THRESHOLD: Kept(
        gettext_noop("the bot's threshold of unanswered messages"), OPERATORS, Page.SOURCE
    ),
    Setting.TONE_MINIMUM: Kept(
        gettext_noop("the bot's minimum score of tone"), OPERATORS, Page.SOURCE
    ),
    Setting.SNOOZE: Kept(
        gettext_noop("a snooze"), EITHER, Page.MEMBERSHIP, "snoozes-group", Endpoint.SNOOZES
    ),
    Setting.QUIET_HOURS: Kept(
        gettext_noop("the quiet hours"),
        EITHER,
        Page.MEMBERSHIP,
        "quiet_windows-group",
        Endpoint.QUIET_HOURS,
    ),
    Setting.LADDER: Kept(gettext_noop("the bot's ladder"), OPERATORS, Page.SOURCE),
    Setting.BANNERS_PER_MINUTE: Kept(
        gettext_noop("the organization's limit of banners a minute"), OPERATORS, Page.ORGANIZATION
    ),
    Setting.OS_PERMISSION: Kept(
        gettext_noop("the permission to show banners"),
        gettext_noop("It is given in the settings of the phone or browser."),
        Page.DEVICES,
        api=Endpoint.DEVICES,
    ),
    Setting.PHONE_ONLY: Kept(
        gettext_noop("“phones only” for this channel"),
        EITHER,
        Page.MEMBERSHIP,
        "channel_preferences-group",
        Endpoint.CHANNEL,
    ),
    Setting.MUTED: Kept(
        gettext_noop("what each device is muted for"),
        gettext_noop("Members change it in the app, operators on the device's page."),
        Page.DEVICES,
        api=Endpoint.DEVICES,
    ),
    "devices": Kept(
        gettext_noop("the devices"),
        gettext_noop("A device is registered by signing in to the app on it."),
        Page.DEVICES,
        api=Endpoint.DEVICES,
    ),
    "external_id": Kept(
        gettext_noop("the platform's id of the person"), OPERATORS, Page.MEMBERSHIP
    ),
    "active": Kept(
        gettext_noop("whether the account and the membership are active"),
        OPERATORS,
        Page.MEMBERSHIP,
    ),
}

# What decides where no setting of the rules does.
OF_OUTCOME: Mapping[str, str] = {
    Outcome.ACTOR: "external_id",
    Outcome.INACTIVE: "active",
    Outcome.NOT_SUBSCRIBED: Setting.SUBSCRIPTION,
    Outcome.NO_DEVICE: "devices",
    NoOutcome.NOT_A_CANDIDATE: Setting.SUBSCRIPTION,
}


def place(outcome: str, decided_by: str, where: Whereabouts) -> Place | None:
    """The setting that decided; None: there was none, as for a conversation that was claimed."""
    setting = decided_by or OF_OUTCOME.get(outcome, "")
    kept = KEPT.get(setting)
    if kept is None:
        return None
    return Place(
        setting=str(setting),
        words=gettext(kept.words),
        advice=gettext(kept.advice),
        admin=_admin(kept.page, kept.part, where),
        api=_api(kept.api, where),
    )


def _api(endpoint: Endpoint | None, where: Whereabouts) -> str | None:
    """The address for the member; None: the setting has none, or not for this source."""
    organization, source = where.organization.slug, where.source
    of_type = reverse("preference", args=[organization, where.event_type])
    match endpoint:
        case Endpoint.TYPE:
            return of_type
        case Endpoint.TYPE_OF_SOURCE if source is not None:
            return f"{of_type}sources/{source.kind}/{_quoted(source)}/"
        case Endpoint.SUBSCRIPTION if source is not None:
            return (
                f"{reverse(f'{source.kind}s', args=[organization])}{_quoted(source)}/subscription/"
            )
        case Endpoint.CHANNEL if where.channel:
            return reverse("channel-preference", args=[organization, where.channel])
        case Endpoint.QUIET_HOURS:
            return reverse("quiet-hours", args=[organization])
        case Endpoint.SNOOZES:
            return reverse("snoozes", args=[organization])
        case Endpoint.DEVICES:
            return "/api/v1/devices/"
    return None


def _quoted(source: Source) -> str:
    return quote(source.external_id, safe="")


def _admin(page: Page, part: str, where: Whereabouts) -> str | None:
    match page:
        case Page.ORGANIZATION:
            address = reverse("admin:chatbot_organization_change", args=[where.organization.pk])
        case Page.MEMBERSHIP:
            address = reverse("admin:chatbot_membership_change", args=[where.membership.pk])
        case Page.ROLES:
            roles = reverse("admin:chatbot_role_changelist")
            address = f"{roles}?organization={where.organization.pk}"
        case Page.DEVICES:
            devices = reverse("admin:chatbot_installation_changelist")
            address = f"{devices}?q={quote(where.membership.user.username)}"
        case Page.SOURCE if where.source is not None:
            address = _source(where.source)
        case _:
            return None
    part = part.format(type=where.event_type, channel=where.channel)
    return f"{address}#{part}" if part else address


def _source(source: Source) -> str:
    name = "chatbot_bot" if source.kind == Source.Kind.BOT else "workflows_workflow"
    return reverse(f"admin:{name}_change", args=[source.pk])
