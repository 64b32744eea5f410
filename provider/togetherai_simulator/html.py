"""HTML from the templates in `templates/`. Jinja escapes every value that it puts into one."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from pulumi_resource_togetherai.sanitize import sanitize


def render(template: str, **values: Any) -> str:
    """The template of this name with these values."""
    return _TEMPLATES.get_template(template).render(values)


def _code(text: str) -> Markup:
    """Text in backticks becomes code."""
    # As a str: Markup would escape what is put between its parts, the tags too.
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def _duration(duration: timedelta) -> str:
    """A duration in short: 45 s, 12 min, 3 h."""
    seconds = duration.total_seconds()
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


_TEMPLATES = Environment(
    loader=PackageLoader("togetherai_simulator"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
# `shown` is for text from requests: what would repaint a page or reverse its text is written out.
_TEMPLATES.filters |= {"shown": sanitize, "code": _code, "duration": _duration}
