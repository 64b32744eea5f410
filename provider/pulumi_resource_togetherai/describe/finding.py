"""What was found out about one thing, with the evidence for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

NOT_TOLD = "cannot be told"


@dataclass(frozen=True)
class Finding:
    """One finding. The same thing may have several, if the API does it in several ways."""

    about: str
    """What it is about."""
    told: str
    """What was found."""
    seen: int
    """How often that was seen."""
    of: int
    """How often it could have been seen."""

    @property
    def line(self) -> str:
        """The finding for people."""
        return f"{self.about:<34} {self.told}" + (f"  [seen in {self.seen} of {self.of}]" if self.of else "")


def cannot_tell(about: str, because: str) -> list[Finding]:
    """No evidence."""
    return [Finding(about, f"{NOT_TOLD}: {because}", 0, 0)]


def counted(about: str, seen: Iterable[str], none: str) -> list[Finding]:
    """A finding for each way that was seen, the most frequent first. `none`: why there may be none."""
    ways = Counter(seen)
    if not ways:
        return cannot_tell(about, none)
    return [Finding(about, told, count, ways.total()) for told, count in ways.most_common()]
