"""When a request is sent again, and after how long.

The client repeats a read after every transient error. It repeats a write only if the request provably did nothing (no
connection was made, or 429); after any other error the caller decides. tenacity does the repeating.
"""

from __future__ import annotations

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt, wait_random_exponential

from pulumi_resource_togetherai.api.errors import ApiError, StatusError

FLOOR = 0.2
"""The shortest pause between two tries, in seconds."""
CEILING = 20.0
"""The longest pause that backing off leads to, in seconds."""
LONGEST_RETRY_AFTER = 120.0
"""If Retry-After asks for a longer pause than this, in seconds, the client raises the error instead of waiting."""

_backoff = wait_random_exponential(multiplier=0.5, max=CEILING)


def _pause(attempt: RetryCallState) -> float:
    asked = 0.0
    if attempt.outcome is not None and isinstance(error := attempt.outcome.exception(), StatusError):
        asked = error.retry_after or 0.0
    return asked + FLOOR + _backoff(attempt)


def _worth_repeating(error: BaseException, *, is_read: bool) -> bool:
    if not isinstance(error, ApiError) or not error.transient:
        return False
    if isinstance(error, StatusError) and (error.retry_after or 0.0) > LONGEST_RETRY_AFTER:
        return False
    return is_read or not error.maybe_took_effect


def retrying(*, is_read: bool, max_retries: int) -> AsyncRetrying:
    """The retry loop for one request; the last error is raised as it is."""
    return AsyncRetrying(
        retry=retry_if_exception(lambda error: _worth_repeating(error, is_read=is_read)),
        stop=stop_after_attempt(max_retries + 1),
        wait=_pause,
        reraise=True,
    )
