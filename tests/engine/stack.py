"""A Pulumi stack on the real engine: a folder with a program, and the commands a user would type."""

from __future__ import annotations

import atexit
import functools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic.alias_generators import to_snake

from pulumi_resource_togetherai import __version__
from tests.engine.pane import Pane, pane
from togetherai_simulator import pulumi_environment

Form = Literal["plugin", "dynamic"]
"""Which adapter a program uses."""

ROOT = Path(__file__).parents[2]
ENGINE = ROOT / ".tools" / "bin"
VENV = Path(sys.executable).parent
PLUGINS = {"providers": [{"name": "togetherai", "path": str(VENV), "version": __version__}]}
"""How a program finds this checkout's plugin. Pulumi caches the schema of a plugin that has a version; without one,
each command on a YAML program starts a second plugin, to read the schema."""
OF_EACH_FAILURE = ("error: update failed", "error: Resource monitor has terminated, shutting down")
"""What Pulumi says of whatever fails: the engine, and its Python SDK in a program that goes on."""
COMMAND_LIMIT = 120
"""Seconds after which a command counts as hung."""
_INITIALISED: dict[str, dict[str, bytes]] = {}
"""What `pulumi stack init` wrote for the first stack of a name: the others of this process begin with a copy."""
_SCHEMAS: dict[str, bytes] = {}
"""The schema that Pulumi keeps of the plugin, once a stack of this process has it."""

ENDS_WHEN_INTERRUPTED = "import signal; signal.signal(signal.SIGINT, signal.SIG_DFL)\n"
"""The first line of a Python program that the engine interrupts after a failure. By default the program would often
wait for an answer that the engine no longer gives, until the engine kills it 5 seconds later."""
DYNAMIC_PROGRAM = (
    ENDS_WHEN_INTERRUPTED
    + """\
import json
from pathlib import Path

import pulumi
from pulumi_resource_togetherai.dynamic import Remediation

for name, (arguments, options) in json.loads(Path("declared.json").read_text()).items():
    remediation = Remediation(name, **arguments, opts=pulumi.ResourceOptions(**options))
    pulumi.export(name, remediation.state)
"""
)

# What a script starts in the background ignores SIGINT, and so does all that it starts. Pulumi ends plugins with a
# SIGINT, and waits 5 seconds for one that ignores it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@functools.cache
def _pip_that_remembers() -> Path:
    """A folder with a `pip` whose list of packages is the one that pip gave when it was asked first. Pulumi asks for it
    with each command on a Python program, which takes a third of the command's CPU time."""
    listed = subprocess.run(
        [VENV / "python", "-m", "pip", "list", "-v", "--format", "json"], capture_output=True, text=True, check=True
    )
    folder = Path(tempfile.mkdtemp(prefix="pip-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "pip").mkdir()
    (folder / "pip" / "__main__.py").write_text(
        f"import sys\nassert sys.argv[1:] == ['list', '-v', '--format', 'json']\nprint({listed.stdout!r})\n"
    )
    return folder


@dataclass(frozen=True)
class Backend:
    """Where the state of stacks is kept, as the environment of Pulumi's commands says it."""

    url: str
    env: Mapping[str, str]


@dataclass(frozen=True)
class Run:
    """What a command printed, and how it ended."""

    code: int
    output: str

    @property
    def diagnostics(self) -> str:
        """The part of the final report that holds each message once."""
        return self.output.partition("\nDiagnostics:\n")[2].partition("\nResources:\n")[0]

    @property
    def errors(self) -> list[str]:
        """What the final report says is wrong, without what Pulumi adds to each failure."""
        lines = [line.strip() for line in self.diagnostics.splitlines()]
        return [line for line in lines if line.startswith("error: ") and line not in OF_EACH_FAILURE]

    def summary(self, word: str) -> int:
        """How many resources the summary counts under a word: created, unchanged, replaced, ..."""
        found = re.search(rf"(\d+) (?:to )?{word}", self.output.rpartition("\nResources:\n")[2])
        return int(found[1]) if found else 0


class Stack:
    """A stack whose program declares remediations, by one adapter or the other."""

    def __init__(
        self,
        folder: Path,
        form: Form,
        api: str,
        *,
        api_key: str | None = "test-key",
        venv: Path = VENV,
        engine: Path = ENGINE,
        name: str = "prod",
        backend: Backend | None = None,
    ) -> None:
        """`venv` is the folder of the Python that programs run on, and of the plugin, `engine` Pulumi's. `name` is
        the stack's, which is kept in the `backend`, or else in its folder."""
        self.folder = folder
        self.name = name
        self._venv = venv
        self._engine = engine
        self.form: Form = form
        self._declared: dict[str, dict[str, Any]] = {}
        self._options: dict[str, dict[str, Any]] = {}
        self._shared = backend is not None
        # An environment of its own: nothing of the machine's Pulumi or Together settings reaches a test.
        self.env = {
            "PATH": os.pathsep.join([str(venv), str(engine), "/usr/bin", "/bin"]),
            **pulumi_environment(folder),
            "PULUMI_CONFIG_PASSPHRASE": "test",  # that of the stacks in tests/states
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",  # else each `pip list` of the language host asks the index
            **({"PYTHONPATH": str(_pip_that_remembers())} if venv == VENV else {}),
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "TOGETHER_BASE_URL": api,
            **({"PULUMI_BACKEND_URL": backend.url, **backend.env} if backend else {}),
        } | ({"TOGETHER_API_KEY": api_key} if api_key else {})
        self.config: dict[str, str] = {"togetherai:pollInterval": "50ms"}
        self._write_program()
        usual = (venv, engine) == (VENV, ENGINE)
        self._put(_SCHEMAS if usual else {})
        if self._shared or not usual or name not in _INITIALISED:
            self.run("stack", "init", check=True)
        if not self._shared and usual:
            self._put(_INITIALISED.setdefault(name, self._files("state/**/*", f"Pulumi.{name}.yaml")))
        self._write_config()

    def copy(self, project: Path) -> None:
        """Puts a project's files in place of the program, and beside them what `pulumi install` would make."""
        shutil.copytree(project, self.folder, dirs_exist_ok=True)
        (self.folder / "venv").symlink_to(self._venv.parent)
        self.run("stack", "init", check=True)

    def elsewhere(self, folder: Path) -> Stack:
        """The same stack on another machine, which has the program, the backend's address and the passphrase, and
        nothing else of this one."""
        there = deepcopy(self)
        there.folder = folder
        there.env |= {"HOME": str(folder), "PULUMI_HOME": str(folder / "home")}
        folder.mkdir(parents=True)
        there._write_program()
        there._write_config()
        return there

    def declare(self, name: str = "fix", /, **inputs: Any) -> None:
        """Has the program declare a remediation, in place of one of the same name. Inputs in camelCase."""
        self._declared[name] = {
            "clusterId": "cluster-1",
            "instanceId": "cluster-1-node-1",
            "mode": "REBOOT_VM",
        } | inputs
        self._write_program()

    def option(self, name: str, /, **options: Any) -> None:
        """Gives a declared remediation resource options, in camelCase."""
        self._options[name] = options
        self._write_program()

    def spelt(self, name: str) -> str:
        """An input, given in camelCase, as messages of this form name it."""
        return to_snake(name) if self.form == "dynamic" else name

    def forget(self, name: str = "fix") -> None:
        """Removes a remediation from the program."""
        del self._declared[name]
        self._write_program()

    def configure(self, name: str, value: str) -> None:
        """Sets a value of the stack's configuration."""
        self.config[name] = value
        self._write_config()

    def up(self, *flags: str, check: bool = False) -> Run:
        """`pulumi up`, without its own preview unless asked for."""
        return self.run("up", "--yes", "--skip-preview", *flags, check=check)

    def preview(self, *flags: str) -> Run:
        """`pulumi preview`."""
        return self.run("preview", *flags)

    def refresh(self) -> Run:
        """`pulumi refresh`."""
        return self.run("refresh", "--yes", "--skip-preview")

    def destroy(self, *flags: str) -> Run:
        """`pulumi destroy`."""
        return self.run("destroy", "--yes", "--skip-preview", *flags)

    def run(self, *arguments: str, check: bool = False) -> Run:
        """Any command, without a terminal."""
        done = subprocess.run(
            self._command(*arguments),
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=COMMAND_LIMIT,
            check=False,
        )
        if self._venv == VENV:
            _SCHEMAS.update(self._files("home/schemas/*"))
        if check and done.returncode:
            raise AssertionError(f"pulumi {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}")
        return Run(done.returncode, done.stdout)

    @contextmanager
    def running(self, *arguments: str) -> Generator[subprocess.Popen[str]]:
        """A command that is still running, in a process group of its own, so that all of it can be killed."""
        process = subprocess.Popen(
            self._command(*arguments),
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()

    @contextmanager
    def shown(self, *arguments: str, columns: int) -> Generator[Pane]:
        """A command as a person sees it, in a terminal of so many columns."""
        command = [str(self._engine / "pulumi"), *arguments, f"--stack={self.name}"]
        with pane(command, columns=columns, folder=self.folder, env=self.env) as terminal:
            yield terminal

    def resources(self) -> dict[str, dict[str, Any]]:
        """The remediations that the stack holds, by name."""
        held: list[dict[str, Any]] = self._deployment().get("resources") or []
        return {item["urn"].rpartition("::")[2]: item for item in held if "Remediation" in item["type"]}

    def exported(self) -> dict[str, Any]:
        """What `pulumi stack export` gives: through a file, as the clients of a store may warn beside it."""
        with tempfile.TemporaryDirectory() as folder:
            written = Path(folder) / "stack.json"
            self.run("stack", "export", "--file", str(written), check=True)
            told: dict[str, Any] = json.loads(written.read_text())
            return told

    @property
    def plugins(self) -> dict[str, Any]:
        """How its program finds the plugin."""
        return {"providers": [PLUGINS["providers"][0] | {"path": str(self._venv)}]}

    def urn(self, name: str = "fix") -> str:
        """The URN of a remediation that the stack holds."""
        return str(self.resources()[name]["urn"])

    def _deployment(self) -> dict[str, Any]:
        if self._shared:
            return self.exported()["deployment"]
        project: str = yaml.safe_load((self.folder / "Pulumi.yaml").read_text())["name"]
        state = self.folder / "state" / ".pulumi" / "stacks" / project / f"{self.name}.json"
        return json.loads(state.read_text())["checkpoint"]["latest"]

    def _files(self, *patterns: str) -> dict[str, bytes]:
        found = [path for pattern in patterns for path in self.folder.glob(pattern) if path.is_file()]
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in found}

    def _put(self, files: dict[str, bytes]) -> None:
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def _command(self, *arguments: str) -> list[str]:
        return [str(self._engine / "pulumi"), "--non-interactive", "--color=never", *arguments, f"--stack={self.name}"]

    def _write_program(self) -> None:
        project: dict[str, Any] = {"name": "training"}
        if self.form == "plugin":
            project |= {
                "runtime": "yaml",
                "plugins": self.plugins,
                "resources": {
                    name: {
                        "type": "togetherai:Remediation",
                        "properties": inputs,
                        "options": self._options.get(name, {}),
                    }
                    for name, inputs in self._declared.items()
                },
                "outputs": {name: f"${{{name}.state}}" for name in self._declared},
            }
        else:
            project |= {"runtime": "python"}
            declared = {
                name: (_snake(inputs), _snake(self._options.get(name, {}))) for name, inputs in self._declared.items()
            }
            (self.folder / "declared.json").write_text(json.dumps(declared))
            (self.folder / "__main__.py").write_text(DYNAMIC_PROGRAM)
        # JSON is YAML.
        (self.folder / "Pulumi.yaml").write_text(json.dumps(project, indent=1))

    def _write_config(self) -> None:
        path = self.folder / f"Pulumi.{self.name}.yaml"
        written = path.read_text().splitlines() if path.exists() else []
        salt = [line for line in written if line.startswith("encryptionsalt")]
        settings = [f"  {name}: {json.dumps(value)}" for name, value in self.config.items()]
        path.write_text("\n".join([*salt, "config:", *settings]) + "\n")


def _snake(properties: dict[str, Any]) -> dict[str, Any]:
    """The same under the names that Python has for them."""
    return {to_snake(name): value for name, value in properties.items()}
