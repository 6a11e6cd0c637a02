"""Pushes in, answers out: the one way to the push services."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

from channels_app.gateways import outcomes
from channels_app.gateways.credentials import Application, Applications, Credentials
from channels_app.gateways.exchange import Fate, Reply
from channels_app.gateways.fcm_access import FcmApplication
from channels_app.gateways.outcomes import BrokenCredentials, Outcome, Unsendable
from channels_app.gateways.pushes import Answer, Push, Verdict
from channels_app.gateways.transport import REQUEST_SECONDS, Transport

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class GatewayConfig:
    """Everything that a dispatcher is told: whom it may push to, and over which network."""

    applications: Applications
    ca_file: str
    networks: Sequence[str] = ()
    request_seconds: float = REQUEST_SECONDS
    """How long one push may wait for its turn, and how long after that for its answer."""

    @classmethod
    def from_settings(cls, settings: Any) -> "GatewayConfig":
        """The configuration of a Django settings object (`django.conf.settings`)."""
        return cls(
            applications=Applications(
                credentials=Credentials(settings.PUSH_APPLICATIONS),
                shapes=settings.PUSH_SHAPES,
                entitled=frozenset(settings.CRITICAL_ALERT_APPLICATIONS),
                service_accounts=settings.FCM_SERVICE_ACCOUNTS,
                apns_url=settings.APNS_URL,
                fcm_url=settings.FCM_URL,
                webpush_hosts=tuple(settings.WEBPUSH_HOSTS),
            ),
            ca_file=settings.GATEWAY_CA_FILE,
            networks=tuple(settings.GATEWAY_NETWORKS),
        )


@dataclass(slots=True)
class _Sent:
    push: Push
    application: Application


class Dispatcher:
    """One per worker process, kept for its life: connections and tokens are shared by all pushes.

    Every push that is submitted comes back from `poll` exactly once, whatever happens to it: an
    exception that nobody has foreseen is logged and becomes an answer, "Defect".
    """

    def __init__(self, config: GatewayConfig) -> None:
        self._applications = config.applications
        self._transport: Transport[_Sent | FcmApplication] = Transport(
            ca_file=config.ca_file,
            networks=config.networks,
            request_seconds=config.request_seconds,
        )
        self._done: list[Answer] = []
        self.in_flight = 0
        """Pushes that have been submitted and not yet come back."""
        self.capacity = self._transport.capacity
        """How many pushes to have in flight at most; more are taken, but only wait longer."""

    def submit(self, push: Push, now: datetime) -> None:
        """Send `push`. Never blocks on the network and never raises for a bad push."""
        self.in_flight += 1
        try:
            application = self._applications.of(push.target)
            if isinstance(application, FcmApplication):
                self._refresh_token(application, now)
                if not application.has_token(now):
                    application.waiting.append(push)
                    return
        except Exception as error:
            self._settle_unsent(push, _obstacle(error, push))
        else:
            self._send(push, application, now)

    def poll(self, timeout: float) -> list[Answer]:
        """The answers there are; waits up to `timeout` seconds for the first one.

        Returns at once if nothing is in flight.
        """
        until = time.monotonic() + timeout
        while True:
            left = 0.0 if self._done else max(0.0, until - time.monotonic())
            for ticket, reply in self._transport.poll(left):
                if isinstance(ticket, FcmApplication):
                    self._take_token(ticket, reply)
                else:
                    self._settle(ticket, reply)
            if self._done or not self.in_flight or time.monotonic() >= until:
                break
        done, self._done = self._done, []
        self.in_flight -= len(done)
        return done

    def close(self) -> None:
        """Close all connections. What is still in flight is lost: poll first."""
        self._transport.close()

    def _send(self, push: Push, application: Application, now: datetime) -> None:
        try:
            if push.expires_at <= now:
                raise Unsendable("Expired")
            request = application.request(push, now)
        except Exception as error:
            self._settle_unsent(push, _obstacle(error, push))
        else:
            self._transport.submit(request, _Sent(push, application))

    def _refresh_token(self, application: FcmApplication, now: datetime) -> None:
        if application.needs_token(now):
            request = application.token_request(now)
            application.fetching = True
            self._transport.submit(request, application)

    def _take_token(self, application: FcmApplication, reply: Reply) -> None:
        now = datetime.now(UTC)
        outcome = _token_outcome(application, reply, now)
        waiting, application.waiting = application.waiting, type(application.waiting)()
        for push in waiting:
            if application.has_token(now):
                self._send(push, application, now)
            else:
                self._forget_if_refused(push, application, outcome)
                self._settle_unsent(push, outcome)

    def _settle(self, sent: _Sent, reply: Reply) -> None:
        outcome = _outcome(sent, reply)
        self._forget_if_refused(sent.push, sent.application, outcome)
        self._finish(sent.push, outcome, reply.status, reply.sent_at, reply.answered_at)

    def _forget_if_refused(self, push: Push, application: Application, outcome: Outcome) -> None:
        if outcome.verdict is Verdict.CREDENTIALS:
            self._applications.forget(push.target, application)

    def _settle_unsent(self, push: Push, outcome: Outcome) -> None:
        now = time.time()
        self._finish(push, outcome, None, now, now)

    def _finish(
        self, push: Push, outcome: Outcome, status: int | None, sent_at: float, answered_at: float
    ) -> None:
        self._done.append(
            Answer(
                delivery_id=push.delivery_id,
                verdict=outcome.verdict,
                status=status,
                reason=outcome.reason,
                retry_after=outcome.retry_after,
                dead_since=outcome.dead_since,
                gateway_id=outcome.gateway_id,
                sent_at=sent_at,
                answered_at=answered_at,
            )
        )


def _obstacle(error: Exception, push: Push) -> Outcome:
    """Why `push` did not leave. A defect of ours would meet it again: it is refused for good."""
    match error:
        case Unsendable():
            return Outcome(Verdict.REJECTED, error.reason)
        case BrokenCredentials():
            return Outcome(Verdict.CREDENTIALS, error.reason)
        case _:
            log.error("push.defect", delivery=push.delivery_id, exc_info=error)
            return Outcome(Verdict.REJECTED, "Defect")


def _outcome(sent: _Sent, reply: Reply) -> Outcome:
    """What became of a push that left. An answer that we cannot read is as good as none."""
    if reply.fate is not Fate.ANSWERED:
        return outcomes.of_unanswered(reply)
    try:
        return sent.application.outcome(reply, sent.push, datetime.now(UTC))
    except Exception:
        log.exception("push.defect", delivery=sent.push.delivery_id, status=reply.status)
        return Outcome(Verdict.UNKNOWN, "Defect")


def _token_outcome(application: FcmApplication, reply: Reply, now: datetime) -> Outcome:
    """What befalls the pushes that wait for a token, if there is none: they have not left."""
    try:
        return application.take_token(reply, now)
    except Exception:
        log.exception("token.defect", sender=application.email, status=reply.status)
        return Outcome(Verdict.RETRY, "Token Defect")
