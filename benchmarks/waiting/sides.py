"""The sides: the ways of doing the work."""

from __future__ import annotations

UP = "up"
DYNAMIC = "dynamic"
LOOP = "loop"
PLUGIN = "plugin"

NAMES = {
    UP: "plugin on the engine",
    DYNAMIC: "dynamic form on the engine",
    LOOP: "loop over the vendor's client",
    PLUGIN: "plugin without the engine",
}
"""What each side is."""
