"""The noise advisor: what went out last week, how much of it was opened, and which setting would
spare people the rest. It reads, and changes nothing.
"""

from channels_app.advisor.advice import Advice, Knob, Option
from channels_app.advisor.loudness import ADVISABLE
from channels_app.advisor.reports import Report, Silence, report
from channels_app.advisor.shares import RARELY, Judgement
from channels_app.advisor.tallies import Line, Tally
from channels_app.advisor.thresholds import Missed

__all__ = [
    "ADVISABLE",
    "RARELY",
    "Advice",
    "Judgement",
    "Knob",
    "Line",
    "Missed",
    "Option",
    "Report",
    "Silence",
    "Tally",
    "report",
]
