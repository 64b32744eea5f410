"""docs/troubleshooting.md speaks of every error that the provider can end with."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import pulumi_resource_togetherai
from pulumi_resource_togetherai.api.errors import ApiError
from pulumi_resource_togetherai.config import MissingApiKey

PACKAGE = Path(pulumi_resource_togetherai.__file__).parent
PAGE = " ".join((Path(__file__).parents[2] / "docs" / "troubleshooting.md").read_text().split())
RAISING = {"OperationError", "Refuse", "explained", "_gone"}
"""What is called with the text of an error."""


def pieces(text: ast.expr) -> list[str]:
    """What is fixed in a text."""
    match text:
        case ast.Constant(value=str(value)):
            return [value]
        case ast.JoinedStr(values=values):
            return [piece for value in values if isinstance(value, ast.Constant) for piece in pieces(value)]
        case _:
            return []


def errors() -> Iterator[tuple[str, str]]:
    """Where an error is made, and the longest piece that is fixed in its first sentence."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if "simulator" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            texts = list[ast.expr]()
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in RAISING:
                texts = node.args
            elif isinstance(node, ast.JoinedStr) and path.name == "outcome.py":
                texts = [node]
            for text in texts:
                fixed = [re.split(r"\. ", piece)[0].strip(" .,:;()") for piece in pieces(text)]
                if fixed and len(longest := max(fixed, key=len)) > 5:
                    yield f"{path.relative_to(PACKAGE)}:{text.lineno}", longest


ERRORS = list(errors())


@pytest.mark.parametrize("text", [text for _, text in ERRORS], ids=[place for place, _ in ERRORS])
def test_the_page_speaks_of_the_error(text: str):
    assert text in PAGE, f"docs/troubleshooting.md has no row for: {text}"


def test_there_are_errors_to_speak_of():
    assert len(ERRORS) > 40


def kinds(base: type[Exception]) -> Iterator[type[Exception]]:
    """A class and all that come from it."""
    yield base
    for derived in base.__subclasses__():
        yield from kinds(derived)


@pytest.mark.parametrize("kind", [*kinds(ApiError), MissingApiKey], ids=lambda kind: kind.__name__)
def test_the_page_names_every_class_of_error(kind: type[Exception]):
    assert f"`{kind.__name__}`" in PAGE
