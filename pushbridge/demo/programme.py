"""What the demo prints: chapters, scenes, every banner as it comes, and the balance at the end."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence

from pushbridge.demo.sandbox import Arrival
from pushbridge.demo.verdicts import Outcome, Played, faults, faults_of_arrival, timings

WIDTH = 78
CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
LEVELS = {"critical": "red", "loud": "yellow", "quiet": "dim"}
PLATFORMS = {"apns": "APNs", "fcm": "FCM", "webpush": "Web Push"}
ANSWERS = {
    200: "had that already",
    202: "stored",
    401: "turned away: the signature is not Acme's",
}
TAPPED = {200: "it is theirs", 409: "somebody was faster"}
STATES = {
    "ignored": "kept, and ignored: an unknown type",
    "recorded": "recorded",
    "quarantined": "quarantined: routing it failed",
}


class Programme:
    """Writes lines to `say`; `sentences` has one for each outcome."""

    def __init__(
        self, *, say: Callable[[str], None], coloured: bool, sentences: Mapping[str, str]
    ) -> None:
        self._say = say
        self._coloured = coloured
        self._sentences = sentences

    def chapter(self, title: str) -> None:
        rule = "─" * max(3, WIDTH - len(title) - 1)
        self._say("\n" + self._paint(title, "bold") + " " + self._paint(rule, "dim"))

    def opening(self, played: Played) -> None:
        """What happens on the platform, and how the door answers."""
        words = TAPPED if played.scene.tapped else ANSWERS
        answers = ", then ".join(f"{status} {words.get(status, '')}" for status in played.statuses)
        event = f", event {played.event_id}" if played.event_id else ""
        self._say("\n" + self._paint(played.scene.says, "cyan"))
        self._say(self._paint(f"  {played.scene.event['type']}: {answers}{event}", "dim"))

    def arrival(self, played: Played, arrival: Arrival) -> None:
        """A banner on a phone: its words once, as long as the next phones show the same."""
        first = played.arrivals[0]
        if arrival is first or (arrival.title, arrival.body) != (first.title, first.body):
            self._say("")
            self._say("    " + self._paint(arrival.title, "bold"))
            for line in arrival.body.splitlines():
                self._say("    " + line)
        right = not faults_of_arrival(played.scene, arrival)
        mark = self._paint("✓", "green") if right else self._paint("✗", "red")
        platform = PLATFORMS.get(arrival.platform, arrival.platform)
        self._say(
            f"  {mark} {arrival.phone:<16} {platform:<9}"
            f" {self._paint(f'{arrival.level:<8}', LEVELS.get(arrival.level, 'bold'))}"
            f" {played.milliseconds(arrival):>7.1f} ms"
            + (self._paint("  in place of the one before", "dim") if arrival.replaced else "")
        )

    def closing(self, played: Played) -> None:
        """Who was not told and why, and what is wrong."""
        for name, outcome in played.outcomes.items():
            if outcome.name != "pushed":
                self._say(self._paint(f"  – {name:<16} {self._why(outcome)}", "dim"))
        if played.event_id and not played.outcomes:
            self._say(self._paint("  – nobody is told", "dim"))
        for fault in faults(played):
            self._say(self._paint(f"  ✗ {fault}", "red"))

    def balance(self, scenes: Sequence[Played], links: Mapping[str, str]) -> None:
        """The table at the end; what is wrong comes last, where it is seen."""
        expected = sum(len(played.scene.phones()) for played in scenes)
        seen = sum(len(played.arrivals) for played in scenes)
        times = timings(scenes)
        rows = [
            ("Webhooks sent", str(sum(len(played.statuses) for played in scenes))),
            ("Banners expected", str(expected)),
            ("Banners seen", str(seen)),
        ]
        if times:
            middle = statistics.median(times)
            rows.append(
                ("Webhook to gateway", f"median {middle:.1f} ms, slowest {times[-1]:.1f} ms")
            )
        self.chapter("Balance")
        for name, value in [*rows, *links.items()]:
            self._say(f"  {name:<20} {value}")
        self._verdict(scenes)

    def _verdict(self, scenes: Sequence[Played]) -> None:
        wrong = [(played, fault) for played in scenes for fault in faults(played)]
        if not wrong:
            self._say("\n" + self._paint("  Everything came as it had to.", "green"))
            return
        self._say("\n" + self._paint(f"  Wrong: {len(wrong)}", "red"))
        for played, fault in wrong:
            event = f"event {played.event_id}" if played.event_id else "no event"
            self._say(self._paint(f"  ✗ {event}, “{played.scene.says}” {fault}", "red"))

    def _why(self, outcome: Outcome) -> str:
        sentence = self._sentences.get(outcome.name, "")
        return f"{outcome.name}: {sentence}" if sentence else outcome.name

    def _paint(self, text: str, colour: str) -> str:
        return f"\x1b[{CODES[colour]}m{text}\x1b[0m" if self._coloured else text
