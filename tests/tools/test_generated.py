"""What is in sdk/ and docs/reference/ is what the schema gives today."""

from __future__ import annotations

import filecmp
import re
import subprocess
from pathlib import Path

import pytest

from architecture import drawn
from docs import pages
from pulumi_resource_togetherai.schema import schema
from setup import BIN, ROOT


def files(folder: Path) -> set[Path]:
    """What `make sdk` wrote, without what Python or npm left there when the package was used. Go's module is that of
    the folder, and kept by hand."""
    left = {"__pycache__", "node_modules", "bin", "build", "dist", "go.mod", "go.sum"}
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {path for path in paths if not any(part in left or part.endswith(".egg-info") for part in path.parts)}


@pytest.mark.slow
@pytest.mark.skipif(not (BIN / "gensdk").exists(), reason="the SDK generator needs Go, and there was none")
def test_the_committed_sdks_are_what_make_sdk_writes(tmp_path: Path) -> None:
    subprocess.run(["make", "sdk", f"SDK={tmp_path}"], cwd=ROOT, check=True)
    committed, fresh = files(ROOT / "sdk"), files(tmp_path)
    changed = {path for path in committed & fresh if not filecmp.cmp(ROOT / "sdk" / path, tmp_path / path, False)}
    assert not (committed ^ fresh) | changed, "sdk/ is stale: run `make sdk` and commit what it writes"


def test_the_committed_reference_is_what_make_docs_writes() -> None:
    committed = {page.name: page.read_text() for page in (ROOT / "docs" / "reference").glob("*.md")}
    assert committed == pages(), "docs/reference/ is stale: run `make docs` and commit what it writes"


def test_the_picture_of_the_architecture_is_what_the_code_is() -> None:
    page = ROOT / "docs" / "architecture.md"
    assert drawn(page.read_text()) == page.read_text(), (
        "the picture is stale: run `make docs` and commit what it writes"
    )


@pytest.mark.parametrize("page", ["architecture.md", "simulator.md"])
def test_every_file_that_a_page_about_the_code_names_is_there(page: str) -> None:
    known = {str(path.relative_to(ROOT)) for path in (ROOT / "provider").rglob("*.py")}
    known |= {str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("*.py")}
    for name in re.findall(r"`([\w/]+\.py)`", (ROOT / "docs" / page).read_text()):
        assert any(path == name or path.endswith(f"/{name}") for path in known), name


def test_the_page_about_the_simulator_names_every_file_of_it() -> None:
    named = set(re.findall(r"`(\w+\.py)`", (ROOT / "docs" / "simulator.md").read_text()))
    files = {path.name for path in (ROOT / "provider" / "togetherai_simulator").glob("*.py")} - {"__init__.py"}
    assert named == files


def test_the_reference_links_to_nothing_that_is_not_there() -> None:
    written = pages()
    anchors = set(written)
    for name, text in written.items():
        anchors |= {f"{name}#{title.lower()}" for title in re.findall(r"^## (.+)$", text, re.MULTILINE)}
    for text in written.values():
        for link in re.findall(r"\]\((?!https:)([^)]+)\)", text):
            assert link in anchors, link


def test_everything_in_the_schema_is_described() -> None:
    package = schema()
    things = [*package["resources"].values(), *package["functions"].values(), *package["types"].values()]
    described = [thing["description"] for thing in things]
    for thing in things:
        for part in (thing, thing.get("inputs", {}), thing.get("outputs", {})):
            for name in ("properties", "inputProperties"):
                described += [spec.get("description") for spec in part.get(name, {}).values()]
        described += [value.get("description") for value in thing.get("enum", [])]
    described += [spec.get("description") for spec in package["provider"]["inputProperties"].values()]
    assert len(described) > 150
    assert all(described)
