"""Pages that have to stay complete."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]


def test_every_runtime_dependency_is_explained():
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    required = project["dependencies"] + project["optional-dependencies"].get("simulator", [])
    names = {re.split(r"[<>=~\[; ]", requirement)[0] for requirement in required}
    explained = set(re.findall(r"^\| `([^`]+)` \|", (ROOT / "docs" / "dependencies.md").read_text(), re.MULTILINE))
    assert names == explained


@pytest.mark.parametrize("workflow", sorted((ROOT / ".github" / "workflows").glob("*.yml")), ids=lambda path: path.stem)
def test_a_workflow_is_yaml_with_jobs_that_end(workflow: Path):
    jobs: dict[str, Any] = yaml.safe_load(workflow.read_text())["jobs"]
    assert all(job["timeout-minutes"] and job["steps"] for job in jobs.values())


@pytest.mark.parametrize(
    "page", ["SECURITY.md", "docs/dependencies.md", "docs/reliability.md", "README.md", "examples/fleet/README.md"]
)
def test_its_links_lead_somewhere(page: str):
    text = (ROOT / page).read_text()
    for target in re.findall(r"\]\((?!https?:)([^)#]*)(#[^)]*)?\)", text):
        path, anchor = target
        file = ((ROOT / page).parent / path).resolve() if path else ROOT / page
        assert file.exists(), target
        if anchor and file.suffix == ".md":
            headings = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE)
            anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor[1:] in anchors, target
