"""Draws which part of the provider imports which, from the code, into docs/architecture.md. `make docs` runs it.

The picture leaves out an arrow that follows from two others: `plugin` may itself import what it imports by way of
`remediation`.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import grimp

PACKAGE = "pulumi_resource_togetherai"
LAYERED = ("remediation", "review")
"""The packages whose layers the picture shows separately."""
BELOW = ("rules", "steps", "operations")
"""The layers that are folders."""
LEFT_OUT = (
    *("__main__", "sanitize", "fields", "forms", "unknown", "literal"),
    *("preview_flag", "replace_flag", "secrecy", "engine"),
)
"""Small helpers that everything imports, and modules that stand alone."""
BEGIN, END = "<!-- made by `make docs` -->\n", "<!-- end -->\n"


def parts() -> dict[str, set[str]]:
    """Every part of the provider, with the parts that it imports."""
    graph = grimp.build_graph(PACKAGE)
    imports = dict[str, set[str]]()
    for module in graph.modules - {PACKAGE}:
        importer = part_of(module)
        found = imports.setdefault(importer, set())
        for other in graph.find_modules_directly_imported_by(module) - {PACKAGE}:
            if part_of(other) != importer:
                found.add(part_of(other))
    for name in LEFT_OUT:
        imports.pop(name, None)
    return {name: found - set(LEFT_OUT) for name, found in imports.items()}


def part_of(module: str) -> str:
    """The part that a module belongs to: a package, a layer, or the module itself. The modules in a package beside its
    layers form the layer on top."""
    package, *rest = module.removeprefix(f"{PACKAGE}.").split(".")
    if package not in LAYERED:
        return package
    return f"{package}_{rest[0]}" if rest and rest[0] in BELOW else f"{package}_resource"


def reduced(imports: dict[str, set[str]]) -> dict[str, set[str]]:
    """The imports without the arrows that follow from others."""

    def reaches(start: str) -> set[str]:
        seen, waiting = set[str](), [start]
        while waiting:
            for other in imports.get(waiting.pop(), ()):
                if other not in seen:
                    seen.add(other)
                    waiting.append(other)
        return seen

    return {
        name: {one for one in direct if not any(one in reaches(other) for other in direct - {one})}
        for name, direct in imports.items()
    }


def picture() -> str:
    """The picture, as Mermaid: GitHub and most editors draw it."""
    arrows = reduced(parts())
    lines = ["```mermaid", "graph TD"]
    for package in LAYERED:
        lines.append(f"  subgraph {package}")
        lines += [f"    {name}[{name.partition('_')[2]}]" for name in sorted(arrows) if name.startswith(f"{package}_")]
        lines.append("  end")
    lines += [f"  {name} --> {other}" for name in sorted(arrows) for other in sorted(arrows[name])]
    return "\n".join([*lines, "```\n"])


def drawn(text: str) -> str:
    """A page with the current picture."""
    return re.sub(f"{BEGIN}.*?{END}", lambda _: f"{BEGIN}{picture()}{END}", text, flags=re.DOTALL)


if __name__ == "__main__":
    page = Path(sys.argv[1])
    page.write_text(drawn(page.read_text()))
