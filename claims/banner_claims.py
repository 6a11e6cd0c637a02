"""The button of a banner, with the app closed: the banner's token claims, and nobody is signed in.

The token says who, where, what and in which round. That it is used there, the installation proves
by its secret (docs/decisions/installations.md): what a push carries may be read by others on its
way, and a secret never travels by push.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from channels_app import access, action_tokens, installations
from channels_app.action_tokens import Action, BadToken
from channels_app.models import Bot, Membership
from claims import claiming
from claims.models import Conversation


class Refused(Exception):
    """The token claims nothing from there. Why is not told: that would help to guess."""


def claim(*, token: str, installation_id: UUID, secret: str, now: datetime) -> Conversation:
    """Claim what a banner called for, for whom it was sent to.

    Used twice it is answered twice alike: who holds the conversation may ask again.

    Raises:
        Refused: the token is not ours, too old or not for this installation; the secret is wrong;
            or its person may not (any more).
        claiming.Conflict: it is right and too late.
    """
    action = _redeemed(token, max_age=timedelta.max)
    device = installations.proven(installation_id=installation_id, secret=secret)
    if device is None or device.pk != action.installation_id:
        raise Refused
    member = _member(action, user_id=device.user_id)
    # How old it may be is a setting of the organization, which it names itself.
    _redeemed(token, max_age=member.organization.claim_window)
    answerable = Bot.objects.filter(access.responder(member.user_id))
    theirs = Conversation.objects.filter(
        pk=action.conversation_id, organization=member.organization_id, bot__in=answerable
    )
    if not theirs.exists():
        raise Refused
    return claiming.claim(
        conversation_id=action.conversation_id,
        membership=member,
        epoch=action.epoch,
        tapped=installation_id,
        now=now,
    )


def _redeemed(token: str, *, max_age: timedelta) -> Action:
    try:
        return action_tokens.redeem(token, max_age=max_age)
    except BadToken:
        raise Refused from None


def _member(action: Action, *, user_id: int) -> Membership:
    """Whom the token was sent to, if the installation is still theirs and they still belong."""
    found = (
        Membership.objects.select_related("user", "organization")
        .filter(pk=action.membership_id, user=user_id, active=True, user__is_active=True)
        .first()
    )
    if found is None:
        raise Refused
    return found
