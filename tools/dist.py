"""Builds what a release consists of: the two Python packages, the package for Node.js, and the plugin's archives.

`make dist` runs it. Go needs nothing built: its SDK is the tag `sdk/v<version>` of this repository.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tarfile
import tempfile
from pathlib import Path

from shell import Problem, run

ROOT = Path(__file__).resolve().parent.parent
PLATFORMS = ("linux-amd64", "linux-arm64", "darwin-amd64", "darwin-arm64", "windows-amd64", "windows-arm64")
"""Pulumi asks for one archive for each of these. All archives are equal: Python code, which runs where Python does."""


def build(to: Path) -> None:
    """Writes python/, npm/ and plugin/ into a folder that is empty or does not exist."""
    print("the provider and its Python SDK")
    for source in (ROOT, ROOT / "sdk" / "python"):
        # Each wheel is made from the source distribution, which shows that the source distribution is complete.
        run([sys.executable, "-m", "build", "--outdir", to / "python", source], ROOT)
    run([sys.executable, "-m", "twine", "check", "--strict", *(to / "python").iterdir()], ROOT)
    print("the plugin's archives")
    (source,) = (to / "python").glob("pulumi_resource_togetherai-*.tar.gz")
    archive_plugin(source, to / "plugin")
    if not shutil.which("npm"):
        raise Problem("npm is needed for the package for Node.js; install Node.js and run it again")
    print("the SDK for Node.js")
    pack_nodejs(to / "npm")


def archive_plugin(source: Path, to: Path) -> None:
    """The source distribution without its outer folder, under the names that Pulumi asks for.

    Pulumi unpacks such an archive into its plugin folder, sees PulumiPlugin.yaml, makes a virtual environment, installs
    what pyproject.toml names, and starts the package. A virtual environment inside the archive would not run elsewhere.
    """
    to.mkdir(parents=True)
    outer = source.name.removesuffix(".tar.gz")
    version = outer.rpartition("-")[2]
    first, *others = (to / f"pulumi-resource-togetherai-v{version}-{platform}.tar.gz" for platform in PLATFORMS)
    with tarfile.open(source) as sdist, tarfile.open(first, "w:gz") as archive:
        for member in sdist.getmembers():
            member.name = member.name.removeprefix(f"{outer}/")
            # A long name is also in the pax headers, and would override the shortened one.
            member.pax_headers = {key: value for key, value in member.pax_headers.items() if key != "path"}
            archive.addfile(member, sdist.extractfile(member))
    for other in others:
        shutil.copy(first, other)


def pack_nodejs(to: Path) -> None:
    """Packs the compiled package. It is built in a separate folder, so that nothing is left in sdk/nodejs."""
    to.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder:
        sdk = Path(folder) / "nodejs"
        shutil.copytree(ROOT / "sdk" / "nodejs", sdk, ignore=shutil.ignore_patterns("node_modules", "bin"))
        run(["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--prefer-offline", "--silent"], sdk)
        run(["npx", "tsc"], sdk)
        for file in ("package.json", "README.md"):
            shutil.copy(sdk / file, sdk / "bin")  # npm publishes bin/
        run(["npm", "pack", "--silent", "--pack-destination", to.resolve(), "./bin"], sdk)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description="Build what a release consists of.")
    parser.add_argument("folder", type=Path, help="where to; what is in it is removed")
    to: Path = parser.parse_args(arguments).folder
    shutil.rmtree(to, ignore_errors=True)
    try:
        build(to)
    except Problem as problem:
        sys.exit(f"dist: {problem}")
    for file in sorted(to.rglob("*.*")):
        print(f"  {file.relative_to(to)}: {file.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main(sys.argv[1:])
