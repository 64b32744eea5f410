"""Refusals, as google.rpc.Status bodies with the HTTP status that belongs to the code."""

from __future__ import annotations

from typing import Any

HTTP_STATUS = {
    "INVALID_ARGUMENT": (3, 400),
    "DEADLINE_EXCEEDED": (4, 504),
    "NOT_FOUND": (5, 404),
    "ALREADY_EXISTS": (6, 409),
    "PERMISSION_DENIED": (7, 403),
    "RESOURCE_EXHAUSTED": (8, 429),
    "FAILED_PRECONDITION": (9, 400),
    "UNIMPLEMENTED": (12, 501),
    "INTERNAL": (13, 500),
    "UNAVAILABLE": (14, 503),
    "UNAUTHENTICATED": (16, 401),
}
"""google.rpc.Code by name: its number and its usual HTTP status."""


class Refusal(Exception):
    """A request that is answered with an error."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        http_status: int | None = None,
        details: list[dict[str, Any]] | None = None,
        headers: dict[str, str] | None = None,
        bare: str | None = None,
    ) -> None:
        """`code` is a name of `HTTP_STATUS`; `http_status` overrides the status that belongs to it. If `bare` is given,
        the body is no google.rpc.Status in any dialect, but `{"error": bare}`."""
        super().__init__(message)
        number, usual_status = HTTP_STATUS[code]
        self.code = code
        self.message = message
        self.http_status = http_status or usual_status
        self.headers = headers or {}
        self.bare = bare is not None
        self.body: dict[str, Any] = (
            {"code": number, "message": message, "details": details or []} if bare is None else {"error": bare}
        )


def refused_with(http_status: int, message: str) -> Refusal:
    """Any HTTP status, with the code that belongs to it, or UNAVAILABLE if there is none."""
    code = next((code for code, (_, usual) in HTTP_STATUS.items() if usual == http_status), "UNAVAILABLE")
    return Refusal(code, message, http_status=http_status)


def not_found(message: str) -> Refusal:
    """404 NOT_FOUND."""
    return Refusal("NOT_FOUND", message)


def failed_precondition(message: str) -> Refusal:
    """400 FAILED_PRECONDITION: the request is valid, but not in the present state."""
    return Refusal("FAILED_PRECONDITION", message)


def invalid_argument(field: str, problem: str) -> Refusal:
    """400 INVALID_ARGUMENT, which names the field both for people and for programs."""
    violation = {"field": field, "description": problem}
    details = [{"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation]}]
    return Refusal("INVALID_ARGUMENT", f"{field}: {problem}", details=details)


def rate_limited(retry_after: int) -> Refusal:
    """429 RESOURCE_EXHAUSTED; `retry_after` is in seconds."""
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{retry_after}s"}]
    return Refusal(
        "RESOURCE_EXHAUSTED", "too many requests", details=details, headers={"Retry-After": str(retry_after)}
    )
