"""Writes docs/reference/ from the package schema: a page per resource and function, one for types, one for settings.

`make docs` runs it. Plain Python: five tables need no template language.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pulumi_resource_togetherai.schema import schema

Spec = Mapping[str, Any]


def pages() -> dict[str, str]:
    """Every page's text, by file name."""
    package = schema()
    written = {"provider.md": _provider(package), "types.md": _types(package["types"])}
    for token, resource in package["resources"].items():
        written[f"{_name(token)}.md"] = _resource(token, resource)
    for token, function in package["functions"].items():
        written[f"{_name(token)}.md"] = _function(token, function)
    index = [f"- [{name.removesuffix('.md')}]({name})" for name in sorted(written, key=str.lower)]
    choices = "|".join(_name(token) for token, spec in package["types"].items() if "enum" in spec)
    for page in {*written} - {"types.md"}:
        written[page] = re.sub(rf"\(({choices})\)", _linked, written[page])
    written["README.md"] = _page("Reference", "Made from the package schema by `make docs`.", "\n".join(index))
    return written


def _resource(token: str, resource: Spec) -> str:
    intro, guide = _guide(resource["description"])
    inputs, required = resource.get("inputProperties", {}), resource.get("requiredInputs", [])
    outputs = {name: spec for name, spec in resource["properties"].items() if name not in inputs}
    return _page(
        _name(token),
        f"Resource `{token}`" + (" (a component)" if resource.get("isComponent") else ""),
        intro,
        guide,
        "## Inputs",
        _table(
            ("Input", "Type", "Default", "Meaning"),
            (_input(name, spec, name in required) for name, spec in inputs.items()),
        ),
        "## Outputs",
        "All inputs, and:",
        _table(("Output", "Type", "Meaning"), (_output(name, spec) for name, spec in outputs.items())),
        *_listing(resource.get("listInputs", {})),
    )


def _listing(inputs: Spec) -> Iterator[str]:
    if inputs:
        yield "## List"
        yield "`pulumi do ... list` lists these resources, newest first. It takes:"
        rows = (_input(name, spec, name in inputs["required"]) for name, spec in inputs["properties"].items())
        yield _table(("Input", "Type", "Default", "Meaning"), rows)


def _function(token: str, function: Spec) -> str:
    intro, guide = _guide(function["description"])
    inputs, outputs = function["inputs"], function["outputs"]
    return _page(
        _name(token),
        f"Function `{token}`",
        intro,
        guide,
        "## Arguments",
        _table(
            ("Argument", "Type", "Default", "Meaning"),
            (_input(name, spec, name in inputs["required"]) for name, spec in inputs["properties"].items()),
        ),
        "## Result",
        outputs["description"],
        _table(("Field", "Type", "Meaning"), (_output(name, spec) for name, spec in outputs["properties"].items())),
    )


def _provider(package: Spec) -> str:
    settings = package["provider"]["inputProperties"]
    return _page(
        "provider",
        package["provider"]["description"],
        _table(("Setting", "Type", "Default", "Meaning"), (_input(name, settings[name], False) for name in settings)),
    )


def _types(types: Mapping[str, Spec]) -> str:
    sections = list[str]()
    for token, spec in types.items():
        sections += [f"## {_name(token)}", spec["description"]]
        if "enum" in spec:
            values = (f"`{value['value']}`" for value in spec["enum"])
            meanings = (value["description"] for value in spec["enum"])
            sections.append(_table(("Value", "Meaning"), zip(values, meanings, strict=True)))
        else:
            fields = (_output(name, field) for name, field in spec["properties"].items())
            sections.append(_table(("Field", "Type", "Meaning"), fields))
    return _page("types", "Enumerations are open: what the API has added since is passed on as it is.", *sections)


def _input(name: str, spec: Spec, required: bool) -> Iterator[str]:
    yield f"`{name}`"
    yield _type(spec) + (", secret" if spec.get("secret") else "")
    default = spec.get("default")
    yield "**required**" if required else "" if default is None else f"`{_literal(default)}`"
    yield " ".join(spec["description"].split())


def _output(name: str, spec: Spec) -> Iterator[str]:
    yield from (f"`{name}`", _type(spec), spec["description"])


def _type(spec: Spec) -> str:
    for choice in spec.get("oneOf", []):
        if "$ref" in choice:
            return _type(choice)
    if reference := spec.get("$ref"):
        if reference == "pulumi.json#/Any":
            return "any"
        name = _name(reference)
        return f"[{name}](types.md#{name.lower()})"
    if spec["type"] == "array":
        return f"list of {_type(spec['items'])}"
    if spec["type"] == "object":
        return f"map of {_type(spec['additionalProperties'])}"
    return str(spec["type"])


def _linked(choice: re.Match[str]) -> str:
    return f"([{choice[1]}](types.md#{choice[1].lower()}))"


def _literal(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _guide(description: str) -> tuple[str, str]:
    """The first paragraph, and the rest without the markers for the SDKs' generators."""
    first, _, rest = description.partition("\n\n")
    plain = re.sub(r"^\{\{% /?examples? %\}\}$", "", rest, flags=re.MULTILINE)
    return first, re.sub(r"\n{3,}", "\n\n", plain)


def _table(head: tuple[str, ...], rows: Iterable[Iterable[str]]) -> str:
    lines = [head, tuple("---" for _ in head), *(tuple(cell.replace("|", "\\|") for cell in row) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _page(title: str, *parts: str) -> str:
    return "\n\n".join([f"# {title}", *(part.strip() for part in parts if part)]) + "\n"


def _name(token: str) -> str:
    return token.rpartition(":")[2]


def main(folder: Path) -> None:
    """Writes the pages, and removes pages that no longer exist."""
    folder.mkdir(parents=True, exist_ok=True)
    written = pages()
    for stale in folder.glob("*.md"):
        if stale.name not in written:
            stale.unlink()
    for name, text in written.items():
        (folder / name).write_text(text)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
