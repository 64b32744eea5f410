"""What an answer's values can be at all: ids that can stand in a path, times at which the service existed, and the many
ways in which servers write that a value is unset.

An implausible value shows a defect somewhere, but mostly of no consequence, so it is read as unset; only an id is never
passed over (see `asked`).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)
"""The earliest time that is believed: the service did not exist before."""
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
"""The latest time that is believed."""
USABLE_ID = re.compile(r"(?!\.{1,2}$)[^\s/\x00-\x1f\x7f]{1,256}")
"""An id that can stand in a path and in the resource's id."""
SKEW = timedelta(minutes=5)
"""How far apart the clocks of the API's own servers may be."""
CLOCK_REASON = timedelta(days=3653)
"""How far the API's clock may be from this machine's. If it is further, the provider cannot know which one is wrong."""

_ZERO_TIME = re.compile(r"(0001-01-01|1970-01-01|0000-00-00)[T ]00:00(:00)?(\.0+)?( ?(Z|UTC|GMT|[+-]00:?00))*")
"""What Go, protobuf, Java and databases write for a time that was never set."""
_NOTHING = frozenset({"", "null", "None", "nil", "<nil>"})


def is_unset(value: Any) -> bool:
    """Whether a server means that there is no value: null, an empty text, a zero time, a language's word for none."""
    if isinstance(value, str):
        return value in _NOTHING or (value[:1] in ("0", "1") and _ZERO_TIME.fullmatch(value) is not None)
    return value is None


def plausible_time(time: datetime) -> datetime | None:
    """A time as one that can be compared with any other; None if it cannot be. Without a zone it is taken to be UTC."""
    time = time if time.tzinfo else time.replace(tzinfo=UTC)
    return time if EARLIEST <= time <= LATEST else None


def plausible_clock(theirs: datetime, ours: datetime) -> datetime:
    """The time on the API's clock, or the earlier of the two if one of them must be wrong."""
    return theirs if abs(theirs - ours) <= CLOCK_REASON else min(theirs, ours)
