"""What can go wrong when talking to the API, as types that say whether the request may have taken effect."""

from __future__ import annotations

from typing import ClassVar, Self

from pulumi_resource_togetherai.sanitize import sanitize

__all__ = [
    "AlreadyExists",
    "AnswerContradicts",
    "AnswerLost",
    "AnswerTooLarge",
    "AnswerUnreadable",
    "ApiError",
    "CredentialRefused",
    "Incomplete",
    "NotFound",
    "NotReached",
    "NotSendable",
    "ProxyRefused",
    "RateLimited",
    "Refused",
    "ServerError",
    "StatusError",
    "Withheld",
]


class ApiError(Exception):
    """A request that did not bring the answer asked for. The error's text is one line for the user."""

    maybe_took_effect: ClassVar[bool] = False
    """Whether the API may have carried the request out anyway. If so, look at its records before you repeat it."""
    transient: ClassVar[bool] = False
    """Whether the same request may well succeed later."""

    accepted = False
    """Whether the API answered 2xx: then it has done what was asked, though the answer cannot be used."""

    def __init__(self, operation: str, message: str) -> None:
        self.operation = operation
        self._say(message)

    def _say(self, message: str) -> None:
        self.message = sanitize(message)
        self.args = (f"{self.operation}: {self.message}",)

    def without(self, secret: str) -> Self:
        """The same error without a secret in its text: some services repeat the key that they refuse."""
        if secret in self.message:
            self._say(self.message.replace(secret, "[the API key]"))
        return self


class NotReached(ApiError):
    """No connection was made: the request never left. Safe to repeat."""

    transient = True


class ProxyRefused(NotReached):
    """A proxy does not let the provider through to the API: the request never left. Trying again does not help."""

    transient = False


class NotSendable(ApiError):
    """There is no such request to send: an address or an id that no URL can hold."""


class Withheld(ApiError):
    """The request was not sent, because the user has asked to stop."""


class AnswerLost(ApiError):
    """The request was sent and no answer came back (timeout, connection lost), so its effect is unknown."""

    maybe_took_effect = True
    transient = True


class AnswerUnreadable(ApiError):
    """An answer came back that is not what the API promises: cut off, not JSON, or without required fields."""

    maybe_took_effect = True
    transient = True


class AnswerContradicts(AnswerUnreadable):
    """An answer came back that is about something else, or that cannot be true. The provider uses nothing of it."""


class AnswerTooLarge(ApiError):
    """An answer is longer than the client reads."""

    maybe_took_effect = True


class Incomplete(ApiError):
    """A list that may lack what was asked for."""

    transient = True


class StatusError(ApiError):
    """The API answered with an error (google.rpc.Status), or something in front of it did."""

    def __init__(
        self, operation: str, message: str, *, http_status: int, code: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(operation, message)
        self.http_status = http_status
        self.code = code
        """The google.rpc.Code by name, such as `FAILED_PRECONDITION`; empty when the body held none."""
        self.retry_after = retry_after
        """How long the API asks to wait, in seconds."""


class Refused(StatusError):
    """400, 501 and every other 3xx or 4xx without a class of its own: the API will not do it."""

    @property
    def of_a_parameter(self) -> bool:
        """Whether the request itself may be what is refused, and not what it would do in the present state."""
        return self.http_status in (400, 422) and self.code in ("", "INVALID_ARGUMENT", "OUT_OF_RANGE", "UNIMPLEMENTED")


class CredentialRefused(StatusError):
    """401 or 403: the API key is not valid, or may not do this."""


class NotFound(StatusError):
    """404: no such cluster, instance or remediation."""


class AlreadyExists(StatusError):
    """409: the API has this remediation already, or is busy with it."""

    maybe_took_effect = True


class RateLimited(StatusError):
    """429: too many requests. The request did nothing; repeat it after `retry_after`."""

    transient = True


class ServerError(StatusError):
    """408 or 5xx: the API failed, perhaps after it did what was asked."""

    maybe_took_effect = True
    transient = True


GRPC_CODES = {
    1: "CANCELLED",
    2: "UNKNOWN",
    3: "INVALID_ARGUMENT",
    4: "DEADLINE_EXCEEDED",
    5: "NOT_FOUND",
    6: "ALREADY_EXISTS",
    7: "PERMISSION_DENIED",
    8: "RESOURCE_EXHAUSTED",
    9: "FAILED_PRECONDITION",
    10: "ABORTED",
    11: "OUT_OF_RANGE",
    12: "UNIMPLEMENTED",
    13: "INTERNAL",
    14: "UNAVAILABLE",
    15: "DATA_LOSS",
    16: "UNAUTHENTICATED",
}
"""google.rpc.Code by number."""


def status_error_type(http_status: int) -> type[StatusError]:
    """The error class for an HTTP status of 400 and above."""
    match http_status:
        case 401 | 403:
            return CredentialRefused
        case 404:
            return NotFound
        case 409:
            return AlreadyExists
        case 429:
            return RateLimited
        case 501:
            return Refused
        case _ if http_status == 408 or http_status >= 500:
            return ServerError
        case _:
            return Refused
