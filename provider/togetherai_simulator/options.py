"""What everything that can be set is made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""Simulated seconds, unless noted otherwise."""
Rate = Annotated[float, Field(ge=0, le=1)]
"""A probability."""


class Options(BaseModel):
    """Base of everything that can be set. It refuses unknown names."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True, use_attribute_docstrings=True)
