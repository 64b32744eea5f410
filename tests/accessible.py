"""Whether everybody can use a page, as far as rules can tell: axe-core's, which npm has."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest
from filelock import FileLock
from playwright.sync_api import Page

VERSION = "4.14.1"
TOOLS = Path(__file__).parent.parent / ".tools" / "axe"
SCRIPT = TOOLS / "node_modules" / "axe-core" / "axe.min.js"
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


@cache
def _script() -> str:
    if not SCRIPT.exists() and shutil.which("npm") is None:
        pytest.skip("no npm on PATH to get axe-core with")
    TOOLS.mkdir(parents=True, exist_ok=True)
    with FileLock(TOOLS / "lock"):
        if not SCRIPT.exists():
            install = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", f"axe-core@{VERSION}"]
            subprocess.run([*install, "--prefix", str(TOOLS)], check=True, capture_output=True, timeout=300)
    return SCRIPT.read_text()


def violations(page: Page) -> list[str]:
    """Each place of a page that breaks a rule of WCAG 2.2 AA, or of good practice."""
    page.evaluate(_script())
    return page.evaluate(
        """async (rules) => {
          const found = await axe.run({ runOnly: { type: "tag", values: rules } });
          return found.violations.flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${node.html}`));
        }""",
        list(RULES),
    )
