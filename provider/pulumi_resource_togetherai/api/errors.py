"""What can go wrong when talking to the API, as types that say whether the request may have taken effect."""

from __future__ import annotations

from typing import ClassVar

from pulumi_resource_togetherai.harmless import harmless


class ApiError(Exception):
    """A request that did not bring the answer asked for. The error's text is one line for the user."""

    maybe_took_effect: ClassVar[bool] = False
    """Whether the API may have carried the request out anyway. If so, look at its records before you repeat it."""
    transient: ClassVar[bool] = False
    """Whether the same request may well succeed later."""

    def __init__(self, operation: str, message: str) -> None:
        message = harmless(message)
        super().__init__(f"{operation}: {message}")
        self.operation = operation
        self.message = message


class NotReached(ApiError):
    """No connection was made: the request never left. Safe to repeat."""

    transient = True


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
    """An answer, or a list, is longer than the client reads."""

    maybe_took_effect = True


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
    """400 and every other 4xx without a class of its own: the API will not do it."""


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
        case 408:
            return ServerError
        case _ if http_status >= 500:
            return ServerError
        case _:
            return Refused
