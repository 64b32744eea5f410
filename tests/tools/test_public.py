"""Examples, templates and docs import only what is public: what docs/usage.md lists."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = ("pulumi_resource_togetherai", "togetherai_simulator")
LISTED = re.compile(r"^\| `((?:pulumi_resource_togetherai|togetherai_simulator)[\w.]*)` \|", re.MULTILINE)
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def public() -> list[str]:
    """The public modules."""
    return LISTED.findall((ROOT / "docs" / "usage.md").read_text())


def sources() -> dict[str, str]:
    """The Python that users copy, by where it stands."""
    files = [*ROOT.glob("examples/**/*.py"), *ROOT.glob("templates/**/*.py")]
    pages = [ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("provider/*/schema/guide/*.md")]
    found = [(path, path.read_text()) for path in files]
    found += [(path, code) for path in pages for code in BLOCK.findall(path.read_text())]
    return {
        f"{path.relative_to(ROOT)}-{number}": code
        for number, (path, code) in enumerate(found)
        if any(name in code for name in OURS)
    }


@pytest.mark.parametrize("code", sources().values(), ids=sources().keys())
def test_what_users_copy_imports_only_what_is_public(code: str):
    for statement in ast.walk(ast.parse(code)):
        if isinstance(statement, ast.Import):
            assert not [name.name for name in statement.names if name.name.split(".")[0] in OURS]
        if isinstance(statement, ast.ImportFrom) and (statement.module or "").split(".")[0] in OURS:
            assert statement.module in public()
            offered = importlib.import_module(str(statement.module)).__all__
            assert {name.name for name in statement.names} <= {*offered}


@pytest.mark.parametrize("module", public())
def test_a_public_module_offers_what_it_says(module: str):
    offered = importlib.import_module(module)
    assert offered.__all__
    assert [name for name in offered.__all__ if not hasattr(offered, name)] == []
