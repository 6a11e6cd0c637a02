"""Why was this person told of this event, or not; and what if. Answers, and writes nothing."""

from channels_app.why.answers import Answer, NoOutcome
from channels_app.why.recorded import explain
from channels_app.why.rehearsed import TOLD, NotImaginable, kind_of_source, rehearse

__all__ = ["TOLD", "Answer", "NoOutcome", "NotImaginable", "explain", "kind_of_source", "rehearse"]
