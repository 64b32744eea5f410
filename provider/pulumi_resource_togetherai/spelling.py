"""The API's modes, states and triggers as people write them: checked, and turned into the API's full values."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import BeforeValidator

from pulumi_resource_togetherai.api.enums import (
    MODE_PREFIX,
    TRIGGER_PREFIX,
    RemediationMode,
    RemediationState,
    RemediationTrigger,
)


def _mode_in_full(mode: Any) -> Any:
    if not isinstance(mode, str):
        raise ValueError("is not a mode; write one such as VM_ONLY")
    short = mode.strip().removeprefix(MODE_PREFIX)
    if short in RemediationMode.__members__:
        return RemediationMode[short]
    if mode != short and any(short.startswith(f"{known}_") for known in RemediationMode.__members__):
        return mode  # a newer server's variant, such as REMEDIATION_MODE_VM_ONLY_V2: the API decides
    close = get_close_matches(short.upper(), RemediationMode.__members__, n=1)
    if close:
        raise ValueError(f'"{mode}" is not a mode; did you mean {close[0]}?')
    if mode.startswith(MODE_PREFIX) and mode != MODE_PREFIX:
        return mode  # perhaps a newer server's: the API decides
    raise ValueError(f'"{mode}" is not a mode; write one of {", ".join(RemediationMode.__members__)}')


def _known_state(state: Any) -> RemediationState:
    if isinstance(state, str) and state in RemediationState.__members__:
        return RemediationState[state]
    raise ValueError(f'"{state}" is not a state; {instead(state, RemediationState.__members__)}')


def _known_trigger(trigger: Any) -> RemediationTrigger:
    short = str(trigger).removeprefix(TRIGGER_PREFIX)
    if short in RemediationTrigger.__members__:
        return RemediationTrigger[short]
    raise ValueError(f'"{trigger}" is not a trigger; {instead(short, RemediationTrigger.__members__)}')


def instead(written: Any, known: Collection[str]) -> str:
    """What to write in place of something that is not known."""
    close = get_close_matches(str(written).upper(), known, n=1)
    return f"did you mean {close[0]}?" if close else f"write one of {', '.join(known)}"


Mode = Annotated[RemediationMode, BeforeValidator(_mode_in_full)]
"""A mode, in short or in full. One that only a newer server knows passes in full."""
State = Annotated[RemediationState, BeforeValidator(_known_state)]
"""A state that this version knows."""
Trigger = Annotated[RemediationTrigger, BeforeValidator(_known_trigger)]
"""A trigger that this version knows, in short (`MANUAL`) or in full."""
