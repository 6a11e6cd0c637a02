"""What people call the types of events that they are told of, in the language that is active."""

from __future__ import annotations

from django.utils.translation import pgettext


def type_name(event_type: str) -> str:
    """As a switch beside the channel's name is labelled; the type itself, if it has no name yet.

    Those of the workflow channel are the sub-channels of the reference page.
    """
    names = {
        "conversation.human_requested": pgettext("event type", "Customer asks for a human"),
        "conversation.unanswered": pgettext("event type", "Bot cannot answer"),
        "conversation.tone_escalated": pgettext("event type", "Customer's tone escalates"),
        "bot.knowledge_added": pgettext("event type", "Knowledge added"),
        "bot.retrained": pgettext("event type", "Re-trained"),
        "bot.prompt_tuned": pgettext("event type", "Prompt auto-tuned"),
        "bot.tool_linked": pgettext("event type", "Tool linked"),
        "workflow.run_started": pgettext("event type", "Started"),
        "workflow.step_completed": pgettext("event type", "Step transitions"),
        "workflow.run_finished": pgettext("event type", "Finished"),
        "workflow.step_stuck": pgettext("event type", "Stuck"),
    }
    return names.get(event_type, event_type)
