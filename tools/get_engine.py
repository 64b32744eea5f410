"""Gets a Pulumi engine: the CLI, its YAML and Python language hosts, and the two files that start Python programs.

It takes the first of these ways that works:

1. a link to the `pulumi` on PATH, if that is new enough: then nobody has to wait for a download or a build;
2. Pulumi's official installer;
3. a build from the Go modules beside this file, for machines that reach a Go module proxy and nothing else.

In each case PATH=.tools/bin:$PATH is all that a program or a test needs afterwards. `make versions` also gets the
oldest engine that the provider is tried with, by the last two ways.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from http.client import HTTPException
from pathlib import Path

from shell import Problem, run, say

TOOLS = Path(__file__).resolve().parent
ENGINE_MODULE = TOOLS / "engine"
OLDEST = "oldest.mod"  # stands in that folder, in place of go.mod, for the oldest engine
PYTHON_HOST_MODULE = TOOLS / "python-host"
BIN = TOOLS.parent / ".tools" / "bin"
OLDEST_BIN = TOOLS.parent / ".tools" / "oldest" / "bin"

INSTALLER = "https://get.pulumi.com"
REACH_TIMEOUT = 10  # seconds: without a network the build should start soon
INSTALL_TIMEOUT = 300  # seconds: the archive is about 100 MB

# Both are scripts in the Python SDK: the first runs a program, the second the dynamic provider.
PYTHON_LAUNCHERS = ("python/cmd/pulumi-language-python-exec", "python/dist/pulumi-resource-pulumi-python")
ENGINE = (
    "pulumi",
    "pulumi-language-yaml",
    "pulumi-language-python",
    *(Path(launcher).name for launcher in PYTHON_LAUNCHERS),
)


class NotThisWay(Exception):
    """This way to an engine does not work, for the reason in the text; the next one may."""


def get_engine(folder: Path) -> None:
    """Fills `folder` with an engine by the first way that works. The old content stays until then."""
    first_that_works(folder, link_from_path, partial(install, version=wanted_version()), build)


def get_oldest_engine(folder: Path) -> None:
    """Fills `folder` with the oldest engine that the provider is tried with, likewise."""
    first_that_works(folder, partial(install, version=oldest_version()), partial(build, pins=OLDEST))


def first_that_works(folder: Path, *ways: Callable[[Path], None]) -> None:
    for way in ways:
        try:
            with replacing(folder) as new:
                way(new)
        except NotThisWay as reason:
            say(f"  {reason}")
        else:
            return
    raise Problem(
        f"no way to get a Pulumi engine: install Pulumi {wanted_version()} or newer, or Go {needed_go()} or newer to"
        " build one with, and run `make setup` again"
    )


def wanted_version() -> str:
    """The version that go.mod pins, which is also the oldest one taken from PATH: the tests expect its output."""
    return engine_version()


def oldest_version() -> str:
    """The oldest version that is supported: `make versions` shows what works with it."""
    return engine_version(OLDEST)


def engine_version(pins: str = "go.mod") -> str:
    return pinned(r"pulumi/pkg/v3 v(\S+)", pins)


def needed_go() -> str:
    return pinned(r"\ngo (\d+\.\d+)")


def pinned(pattern: str, pins: str = "go.mod") -> str:
    found = re.search(pattern, (ENGINE_MODULE / pins).read_text())
    assert found, f"{pattern} is not in {pins}"
    return found[1]


@contextmanager
def replacing(folder: Path) -> Generator[Path]:
    """A new folder of the same name that replaces `folder` only if the block succeeds."""
    staging = folder.parent / "new"
    shutil.rmtree(staging, ignore_errors=True)
    new = staging / folder.name
    new.mkdir(parents=True)
    try:
        yield new
        shutil.rmtree(folder, ignore_errors=True)
        new.rename(folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def link_from_path(folder: Path) -> None:
    search = path_without(BIN)
    pulumi = shutil.which("pulumi", path=search)
    if not pulumi:
        raise NotThisWay("no pulumi on PATH")
    found = version_of(pulumi)
    if numbers(found) < numbers(wanted_version()):
        raise NotThisWay(f"the pulumi on PATH is {found or 'broken'}, and {wanted_version()} or newer is needed")
    # Often PATH holds only a link to pulumi, and the language hosts are beside the file that the link points to.
    search = os.pathsep.join([str(Path(pulumi).parent), str(Path(pulumi).resolve().parent), search])
    for name in ENGINE:
        file = shutil.which(name, path=search)
        if not file:
            raise NotThisWay(f"the pulumi on PATH comes without {name}")
        (folder / name).symlink_to(Path(file).absolute())
    say(f"  Pulumi {found} on PATH will do")


def path_without(folder: Path) -> str:
    """PATH without the engine in .tools/bin, which a developer may have added."""
    entries = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join(entry for entry in entries if entry and Path(entry).resolve() != folder.resolve())


def version_of(pulumi: str) -> str:
    """What `pulumi version` prints, without the v; empty if it fails."""
    environment = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        done = subprocess.run([pulumi, "version"], env=environment, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return "" if done.returncode else done.stdout.strip().removeprefix("v")


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])


def install(folder: Path, version: str) -> None:
    script = installer()
    command = ["sh", "-s", "--", "--version", version, "--install-root", str(folder.parent), "--no-edit-path"]
    try:
        done = subprocess.run(command, input=script, capture_output=True, timeout=INSTALL_TIMEOUT)
    except subprocess.TimeoutExpired:
        raise NotThisWay(f"the official installer was not done after {INSTALL_TIMEOUT} s") from None
    missing = [name for name in ENGINE if not (folder / name).exists()]
    if done.returncode or missing:
        raise NotThisWay("the official installer failed")
    say(f"  Pulumi {version} by the official installer")


def installer() -> bytes:
    try:
        with urllib.request.urlopen(INSTALLER, timeout=REACH_TIMEOUT) as answer:
            script = answer.read()
    except (OSError, HTTPException):
        raise NotThisWay("the official installer cannot be reached") from None
    if not script.startswith(b"#!"):  # for example the sign-in page of a network
        raise NotThisWay("the official installer cannot be reached")
    return script


def build(folder: Path, pins: str = "go.mod") -> None:
    """`pins`: the file beside go.mod that names the versions of the engine's modules."""
    if not shutil.which("go"):
        raise NotThisWay("no go on PATH to build it with")
    say("  building it with Go: about 6 minutes on two cores, seconds when Go's cache has it")
    version = engine_version(pins)
    go_build(
        ENGINE_MODULE,
        folder,
        "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
        "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml",
        version=version,
        pins=pins,
    )
    go_build(
        PYTHON_HOST_MODULE, folder, "github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python", version=version
    )
    sdk = run(
        ["go", "list", f"-modfile={pins}", "-m", "-f", "{{.Dir}}", "github.com/pulumi/pulumi/sdk/v3"],
        ENGINE_MODULE,
        {"GOWORK": "off"},
    )
    for launcher in PYTHON_LAUNCHERS:
        copy = folder / Path(launcher).name
        shutil.copyfile(Path(sdk) / launcher, copy)
        copy.chmod(0o755)  # in Go's module cache every file is read-only


def build_sdk_generator(folder: Path) -> None:
    """Builds it from the oldest engine: what a newer one generates (as `exists`) needs newer Pulumi SDKs to compile."""
    go_build(ENGINE_MODULE, folder, "./gensdk", version=oldest_version(), pins=OLDEST)


def go_build(module: Path, folder: Path, *packages: str, version: str, pins: str = "go.mod") -> None:
    """Builds programs at the versions that are pinned, whatever the user's Go settings are."""
    link = f"-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version={version}"
    command = ["go", "build", "-mod=readonly", f"-modfile={pins}", "-buildvcs=false", "-ldflags", link]
    run([*command, "-o", f"{folder}{os.sep}", *packages], module, {"GOWORK": "off"})
