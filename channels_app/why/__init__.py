"""Why was this person told of this event, or not; and what if. Answers, and writes nothing."""

from channels_app.why.answers import Answer, NoOutcome
from channels_app.why.imagined import TOLD, NotImaginable, kind_of_source
from channels_app.why.recorded import explain
from channels_app.why.rehearsed import Rehearsal, rehearse, rehearse_for_everyone

__all__ = [
    "TOLD",
    "Answer",
    "NoOutcome",
    "NotImaginable",
    "Rehearsal",
    "explain",
    "kind_of_source",
    "rehearse",
    "rehearse_for_everyone",
]
