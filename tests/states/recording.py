"""A recorded stack: what one version of the provider left in the state, with all that it takes to read it again."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import yaml

from tests.engine.programs import PROGRAM_FILES
from tests.engine.stack import PLUGINS, Form, Stack

RECORDINGS = Path(__file__).parent
"""A folder for each version, and in it one for each way to write the program."""
WAYS: dict[str, tuple[Form, str]] = {
    "plugin-yaml": ("plugin", "yaml"),
    "plugin-python": ("plugin", "python"),
    "dynamic-python": ("dynamic", "python"),
}
"""The ways to write the program: the form of the provider, and the language."""
INSTANCES = 24
"""How many nodes the cluster has."""

Operation = Literal["same", "update", "replace", "create"]
"""What `pulumi preview` says about a resource."""


@dataclass(frozen=True)
class Expected:
    """What a later version does about a resource of the program."""

    preview: Operation
    starts: int
    """How many remediations `pulumi up` starts."""
    because: str


@dataclass(frozen=True)
class Recording:
    """The files of a recorded stack. Its passphrase is `test`."""

    folder: Path

    @classmethod
    def all(cls) -> list[Self]:
        """Every recording of every version."""
        return [cls(state.parent) for state in sorted(RECORDINGS.glob("*/*/state.json"))]

    @property
    def name(self) -> str:
        """The version and the way to write the program."""
        return "/".join(self.folder.parts[-2:])

    @property
    def form(self) -> Form:
        """The form of the provider."""
        return WAYS[self.folder.name][0]

    @property
    def answers(self) -> list[dict[str, Any]]:
        """What the API told of each remediation, oldest first."""
        return json.loads((self.folder / "api.json").read_text())

    @property
    def expected(self) -> dict[str, Expected]:
        """What a later version does, by the name of the resource."""
        found: dict[str, dict[str, Any]] = json.loads((self.folder / "expected.json").read_text())
        return {name: Expected(**one) for name, one in found.items()}

    def restore(self, stack: Stack) -> None:
        """Gives the program and the state to an empty stack."""
        for name in PROGRAM_FILES:
            if (self.folder / name).exists():
                shutil.copy(self.folder / name, stack.folder)
        if self.form == "plugin":
            project = stack.folder / "Pulumi.yaml"
            project.write_text(json.dumps(yaml.safe_load(project.read_text()) | {"plugins": PLUGINS}))
        stack.run("stack", "import", "--file", str(self.folder / "state.json"), check=True)

    def save(
        self,
        stack: Stack,
        deployment: dict[str, Any],
        answers: list[dict[str, Any]],
        expected: dict[str, Expected],
    ) -> None:
        """Writes the files. The program is that of the stack."""
        self.folder.mkdir(parents=True)
        for name in PROGRAM_FILES:
            if (stack.folder / name).exists():
                shutil.copy(stack.folder / name, self.folder)
        project: dict[str, Any] = yaml.safe_load((stack.folder / "Pulumi.yaml").read_text())
        project.pop("plugins", None)  # they name the folder of this checkout
        (self.folder / "Pulumi.yaml").write_text(yaml.safe_dump(project, sort_keys=False))
        for name, content in {
            "state.json": deployment,
            "api.json": answers,
            "expected.json": {name: vars(one) for name, one in expected.items()},
        }.items():
            (self.folder / name).write_text(json.dumps(content, indent=1) + "\n")
