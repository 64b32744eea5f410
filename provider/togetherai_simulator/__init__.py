"""A local stand-in for the Together AI remediation API.

It behaves as the service's published contract and clients describe. You can speed its clock up and switch faults on. It
shares nothing with the provider but the API's models, so that a mistake in the provider's client is not repeated here.

`running` starts one in a process of its own, for a test or a rehearsal. `simulate` makes one in this process,
`in_process` talks to that as to the other, and `InProcessTransport` connects a client under test to it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from togetherai_simulator.access import DEFAULT_API_KEY
    from togetherai_simulator.clock import Clock
    from togetherai_simulator.inprocess import InProcessTransport
    from togetherai_simulator.scenario import Scenario, ScenarioError, read_scenario, simulate
    from togetherai_simulator.testing import Simulator, in_process, pulumi_environment, running, serving

__all__ = [
    "DEFAULT_API_KEY",
    "Clock",
    "InProcessTransport",
    "Scenario",
    "ScenarioError",
    "Simulator",
    "in_process",
    "pulumi_environment",
    "read_scenario",
    "running",
    "serving",
    "simulate",
]

_MODULES = ("access", "clock", "inprocess", "scenario", "testing")


def __getattr__(name: str) -> Any:
    # Imported when asked for: without the extra `simulator`, the command can still say what is missing.
    if name in __all__:
        for module in _MODULES:
            home = import_module(f"{__name__}.{module}")
            if hasattr(home, name):
                return getattr(home, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
