"""Pages that have to stay complete."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
GUIDES = sorted((ROOT / "provider" / "pulumi_resource_togetherai" / "guide").glob("*.md"))


def test_every_runtime_dependency_is_explained():
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    required = project["dependencies"] + extras["telemetry"] + extras["simulator"]
    names = {re.split(r"[<>=~\[; ]", requirement)[0] for requirement in required}
    explained = set(re.findall(r"^\| `([^`]+)` \|", (ROOT / "docs" / "dependencies.md").read_text(), re.MULTILINE))
    assert names == explained


@pytest.mark.parametrize("workflow", sorted((ROOT / ".github" / "workflows").glob("*.yml")), ids=lambda path: path.stem)
def test_a_workflow_is_yaml_with_jobs_that_end(workflow: Path):
    jobs: dict[str, Any] = yaml.safe_load(workflow.read_text())["jobs"]
    assert all(job["timeout-minutes"] and job["steps"] for job in jobs.values())


@pytest.mark.parametrize("page", ["_index.md", "installation-configuration.md"])
def test_the_registrys_pages_say_what_they_are(page: str):
    """Pulumi's registry takes them from docs/."""
    _, front, text = (ROOT / "docs" / page).read_text().split("---\n", 2)
    described: dict[str, str] = yaml.safe_load(front)
    assert described["title"].startswith("Together AI")
    assert described["layout"] == "package"
    assert described["meta_desc"]
    assert text.count("{{% choosable ") == text.count("{{% /choosable ")


def test_the_registrys_programs_are_the_examples():
    text = (ROOT / "docs" / "_index.md").read_text()
    programs = re.findall(r"^```\w+\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    examples = ("typescript/index.ts", "python/__main__.py", "go/main.go", "yaml/Pulumi.yaml")
    assert programs == [(ROOT / "examples" / example).read_text() for example in examples]


@pytest.mark.parametrize(
    "page",
    [
        "docs/install.md",
        "docs/usage.md",
        "docs/cluster-repair.md",
        "docs/migration.md",
        "docs/telemetry.md",
        "docs/network.md",
        "docs/architecture.md",
        "docs/simulator.md",
        "docs/performance.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "SECURITY.md",
        "docs/dependencies.md",
        "docs/reliability.md",
        "docs/state.md",
        "docs/operations.md",
        "docs/shell.md",
        "docs/troubleshooting.md",
        "examples/ci/README.md",
        "README.md",
        "examples/fleet/README.md",
    ],
)
def test_its_links_lead_somewhere(page: str):
    text = (ROOT / page).read_text()
    for target in re.findall(r"\]\((?!https?:)([^)#]*)(#[^)]*)?\)", text):
        path, anchor = target
        file = ((ROOT / page).parent / path).resolve() if path else ROOT / page
        assert file.exists(), target
        if anchor and file.suffix == ".md":
            assert anchor[1:] in anchors(file), target


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_its_links_into_the_repository_lead_somewhere(guide: Path):
    """The guides are shown in SDKs too, so their links are whole addresses."""
    repository = r"https://github.com/pulumi-togetherai/pulumi-togetherai/(?:blob|tree)/main/"
    for path, anchor in re.findall(rf"\]\({repository}([^)#]*)#?([^)]*)\)", guide.read_text()):
        assert (ROOT / path).exists(), path
        assert not anchor or anchor in anchors(ROOT / path), anchor


def anchors(page: Path) -> set[str]:
    """What a link may name after the `#`."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
