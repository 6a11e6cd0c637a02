"""How FCM v1 says no: Google's error model with FCM's own code in the details.

Sources: Firebase, "FCM error codes" (ErrorCode, REST v1); Google, AIP-193.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from channels_app.sandbox.discovery import Violation
from channels_app.sandbox.wire import Reply, json_reply

FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"
ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"

ERROR_CODES: Mapping[str, tuple[int, str, str]] = MappingProxyType(
    {
        "INVALID_ARGUMENT": (400, "INVALID_ARGUMENT", "Request contains an invalid argument."),
        "THIRD_PARTY_AUTH_ERROR": (401, "UNAUTHENTICATED", "Auth error from APNS or Web Push."),
        "UNAUTHENTICATED": (
            401,
            "UNAUTHENTICATED",
            "Request had invalid authentication credentials. Expected OAuth 2 access token, "
            "login cookie or other valid authentication credential.",
        ),
        "PERMISSION_DENIED": (
            403,
            "PERMISSION_DENIED",
            "Permission 'cloudmessaging.messages.create' denied on resource.",
        ),
        "SENDER_ID_MISMATCH": (403, "PERMISSION_DENIED", "SenderId mismatch"),
        "UNREGISTERED": (404, "NOT_FOUND", "Requested entity was not found."),
        "QUOTA_EXCEEDED": (429, "RESOURCE_EXHAUSTED", "Quota exceeded for quota metric."),
        "INTERNAL": (500, "INTERNAL", "Internal error encountered."),
        "UNAVAILABLE": (503, "UNAVAILABLE", "The service is currently unavailable."),
    }
)
"""FCM's error code -> (HTTP status, google.rpc status, message). UNAUTHENTICATED and
PERMISSION_DENIED are not FCM's: Google's front end says them before FCM sees the message."""

NOT_FCM = frozenset({"UNAUTHENTICATED", "PERMISSION_DENIED"})


class Refused(Exception):
    """FCM refuses the message."""

    def __init__(
        self,
        code: str,
        message: str = "",
        *,
        violations: Sequence[Violation] = (),
        error_info: str = "",
        parsed: bool = True,
    ) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.violations = violations
        self.error_info = error_info
        self.parsed = parsed
        """False: the JSON front end stopped it, so FCM's own detail is missing."""


def error_reply(no: Refused, *, headers: Mapping[str, str] | None = None) -> Reply:
    """The answer that Google gives for a refusal."""
    status, name, message = ERROR_CODES[no.code]
    details: list[dict[str, Any]] = []
    if no.code not in NOT_FCM and no.parsed:
        details.append({"@type": FCM_ERROR, "errorCode": no.code})
    if no.violations:
        fields = [
            {"field": violation.field, "description": violation.description}
            for violation in no.violations
        ]
        details.append({"@type": BAD_REQUEST, "fieldViolations": fields})
    if no.error_info:
        info = {"@type": ERROR_INFO, "reason": no.error_info, "domain": "googleapis.com"}
        details.append(info)
    error = {"code": status, "message": no.message or message, "status": name}
    if details:
        error["details"] = details
    return json_reply(
        status,
        {"error": error},
        headers=headers,
        reason=no.code,
        detail=no.message or no.error_info,
    )
