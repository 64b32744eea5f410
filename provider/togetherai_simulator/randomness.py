"""Repeatable randomness: each decision has its own generator, made from the seed and the decision's name.

So nothing depends on the order of requests, and there is no generator state to save.
"""

from __future__ import annotations

import uuid
from random import Random


class Randomness:
    """Source of every random decision of a platform."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def of(self, *name: object) -> Random:
        """The generator for the decision of this name."""
        return Random("/".join(str(part) for part in (self.seed, *name)))

    def uuid(self, *name: object) -> str:
        """A UUID for the thing of this name."""
        return str(uuid.UUID(int=self.of("uuid", *name).getrandbits(128), version=4))
