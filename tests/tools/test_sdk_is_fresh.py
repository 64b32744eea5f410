"""What is in sdk/ is what the schema gives today."""

from __future__ import annotations

import filecmp
import subprocess
from pathlib import Path

import pytest

from setup import BIN, ROOT


def files(folder: Path) -> set[Path]:
    """What `make sdk` wrote, without what Python or npm left there when the package was used. Go's module is that of
    the folder, and kept by hand."""
    left = {"__pycache__", "node_modules", "bin", "build", "dist", "go.mod", "go.sum"}
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {path for path in paths if not any(part in left or part.endswith(".egg-info") for part in path.parts)}


@pytest.mark.skipif(not (BIN / "gensdk").exists(), reason="the SDK generator needs Go, and there was none")
def test_the_committed_sdks_are_what_make_sdk_writes(tmp_path: Path) -> None:
    subprocess.run(["make", "sdk", f"SDK={tmp_path}"], cwd=ROOT, check=True)
    committed, fresh = files(ROOT / "sdk"), files(tmp_path)
    changed = {path for path in committed & fresh if not filecmp.cmp(ROOT / "sdk" / path, tmp_path / path, False)}
    assert not (committed ^ fresh) | changed, "sdk/ is stale: run `make sdk` and commit what it writes"
