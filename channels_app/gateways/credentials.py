"""The applications that may be pushed to, and their keys, read by django-push-notifications.

docs/decisions/django-push-notifications.md says what of that library is used, and why not more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from django.core.exceptions import ImproperlyConfigured
from push_notifications.conf.app import AppConfig

from channels_app.gateways import apns, es256, fcm, fcm_access
from channels_app.gateways.apns import ApnsApplication
from channels_app.gateways.exchange import Reply, Request
from channels_app.gateways.fcm_access import FcmApplication
from channels_app.gateways.outcomes import BrokenCredentials, Outcome, Unsendable
from channels_app.gateways.pushes import Platform, Push, Target
from channels_app.gateways.webpush import WebPushApplication


class Credentials(AppConfig):
    """django-push-notifications' applications, each standing or falling on its own.

    `applications` is what its documentation calls `APPLICATIONS`. The library's own class checks
    all of them at once and raises for the first fault: one broken key file would stop every
    application. Here the complaint is kept until somebody asks for the application it is about.
    """

    def __init__(self, applications: Mapping[str, Mapping[str, Any]]) -> None:
        self._given = applications
        self._complaints: dict[str, str] = {}
        super().__init__({"APPLICATIONS": {}})
        for application_id in applications:
            self._read(application_id)

    def check(self, application_id: str) -> None:
        """Raise BrokenCredentials if the library finds fault with the application.

        A complaint is looked into again: the file that was missing may be there by now.
        """
        if application_id in self._complaints:
            self._read(application_id)
        if application_id in self._complaints:
            raise BrokenCredentials("KeyUnreadable", self._complaints[application_id])

    def _read(self, application_id: str) -> None:
        application = dict(self._given[application_id])
        try:
            self._validate_applications({application_id: application})
        except ImproperlyConfigured as complaint:
            self._complaints[application_id] = str(complaint)
        else:
            self._complaints.pop(application_id, None)
            self._settings["APPLICATIONS"][application_id] = application


class Application(Protocol):
    """What the dispatcher needs of an application, whatever its platform."""

    def request(self, push: Push, now: datetime) -> Request: ...

    def outcome(self, reply: Reply, push: Push, now: datetime) -> Outcome: ...


@dataclass(slots=True)
class Applications:
    """Loads an application when the first push for it comes, and keeps it."""

    credentials: Credentials
    shapes: Mapping[str, str] = field(default_factory=dict)
    entitled: frozenset[str] = frozenset()
    service_accounts: Mapping[str, str] = field(default_factory=dict)
    apns_url: str | None = None
    fcm_url: str = fcm.URL
    webpush_hosts: Sequence[str] = ()
    _loaded: dict[tuple[Platform, str], Application] = field(default_factory=dict)

    def of(self, target: Target) -> Application:
        """The application that `target` belongs to.

        Raises Unsendable where there is none of that name and platform, BrokenCredentials where
        its key cannot be used; the next call looks again, so that a repair needs no restart.
        """
        key = (target.platform, target.application_id)
        application = self._loaded.get(key)
        if application is None:
            application = self._loaded[key] = self._load(*key)
        return application

    def forget(self, target: Target, refused: Application) -> None:
        """Read the key again at the next push: the service has refused it.

        Unless that has happened: pushes sent with the old key are still refused afterwards.
        """
        key = (target.platform, target.application_id)
        if self._loaded.get(key) is refused:
            del self._loaded[key]

    def _load(self, platform: Platform, application_id: str) -> Application:
        self.credentials.check(application_id)
        try:
            match platform:
                case Platform.APNS:
                    return self._apns(application_id)
                case Platform.FCM:
                    return self._fcm(application_id)
                case Platform.WEBPUSH:
                    return self._webpush(application_id)
        except ImproperlyConfigured as error:
            raise Unsendable("UnknownApplication", str(error)) from error

    def _apns(self, application_id: str) -> ApnsApplication:
        path, key_id, team_id = self.credentials.get_apns_auth_creds(application_id)
        topic = self.credentials.get_apns_topic(application_id)
        if topic is None:
            raise BrokenCredentials("TopicMissing", application_id)
        development = self.credentials.get_apns_use_sandbox(application_id)
        return ApnsApplication(
            url=self.apns_url or (apns.DEVELOPMENT_URL if development else apns.PRODUCTION_URL),
            topic=topic,
            team_id=team_id,
            key_id=key_id,
            key=es256.load_key(path),
            shape=self.shapes.get(application_id, "expo"),
            entitled=application_id in self.entitled,
        )

    def _fcm(self, application_id: str) -> FcmApplication:
        # Asked for its complaint alone: it knows of no service account, and takes an initialized
        # firebase_admin app where we need the key.
        self.credentials.get_max_recipients(application_id)
        path = self.service_accounts.get(application_id)
        if path is None:
            raise BrokenCredentials("ServiceAccountUnreadable", "no file is named")
        return fcm_access.load(
            path, url=self.fcm_url, shape=self.shapes.get(application_id, "expo")
        )

    def _webpush(self, application_id: str) -> WebPushApplication:
        return WebPushApplication(
            key=es256.load_key(self.credentials.get_wp_private_key(application_id)),
            subject=self.credentials.get_wp_claims(application_id)["sub"],
            hosts=self.webpush_hosts,
        )
