"""Servers of a test's own that keep the state of stacks, so that several machines can share it."""

from __future__ import annotations

import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import httpx

from tests.engine.stack import ENGINE, Backend

PATIENCE = 60.0
"""Seconds after which a server counts as not coming up."""


class NotToBeHad(Exception):
    """This machine has not what a server needs. The message says what that is."""


@contextmanager
def postgres() -> Generator[Backend]:
    """A PostgreSQL server with an empty database, on a socket in a temporary folder, so that it needs no free port."""
    programs = postgres_programs()
    # PostgreSQL refuses to run as root, and Debian's package makes a user for it.
    user = "postgres" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="togetherai-postgres-") as folder:
        if user is not None:
            try:
                shutil.chown(folder, user)
            except LookupError:
                raise NotToBeHad("PostgreSQL does not run as root, and there is no user named postgres") from None

        def run(program: str, *arguments: str) -> None:
            done = subprocess.run(
                [str(programs / program), *arguments],
                cwd=folder,
                user=user,
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "PGPASSWORD": "secret"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=PATIENCE,
                check=False,
            )
            if done.returncode:
                raise RuntimeError(f"{program} ended with {done.returncode}:\n{done.stdout}")

        data, password = Path(folder, "data"), Path(folder, "password")
        password.write_text("secret\n")
        password.chmod(0o644)
        run("initdb", f"--pgdata={data}", "--username=pulumi", "--auth=scram-sha-256", f"--pwfile={password}")
        # Nothing is to survive, so nothing needs to reach the disk.
        options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
        run("pg_ctl", "start", f"--pgdata={data}", f"--log={folder}/log", f"--options={options}", "--wait")
        try:
            run("createdb", f"--host={folder}", "--username=pulumi", "state")
            backend = Backend(f"postgres://pulumi@/state?host={folder}", {"PGPASSWORD": "secret"})
            _make_the_table(backend)
            yield backend
        finally:
            run("pg_ctl", "stop", f"--pgdata={data}", "--mode=immediate", "--wait")


@contextmanager
def s3() -> Generator[Backend]:
    """moto's S3 server with an empty bucket, on a free port of the loopback."""
    with tempfile.TemporaryDirectory(prefix="togetherai-s3-") as folder:
        log = Path(folder, "log")
        with log.open("w") as output:
            server = subprocess.Popen(
                [sys.executable, "-m", "moto.server", "--host=127.0.0.1", "--port=0"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            address = _address_in(log, server)
            httpx.put(f"{address}/state").raise_for_status()
            yield Backend(
                f"s3://state/pulumi?endpoint={address}&s3ForcePathStyle=true&region=us-east-1",
                {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"},
            )
        finally:
            server.terminate()
            server.wait()


SERVERS: dict[str, Callable[[], AbstractContextManager[Backend]]] = {"postgres": postgres, "s3": s3}
"""What several machines can share, by name."""


def postgres_programs() -> Path:
    """The folder of the server's programs. Debian keeps those of each version in one of its own, not on PATH."""
    found = glob.glob("/usr/lib/postgresql/*/bin/initdb")
    newest = max(found, key=lambda path: int(path.split("/")[4]), default=shutil.which("initdb"))
    if newest is None:
        raise NotToBeHad("there is no PostgreSQL server on this machine; Debian's package is named postgresql")
    return Path(newest).parent


def _make_the_table(backend: Backend) -> None:
    """The first command on an empty database makes the engine's table there; two first ones at once may collide."""
    with tempfile.TemporaryDirectory(prefix="togetherai-home-") as home:
        environment = {"PATH": "/usr/bin:/bin", "HOME": home, "PULUMI_SKIP_UPDATE_CHECK": "true", **backend.env}
        subprocess.run(
            [str(ENGINE / "pulumi"), "--non-interactive", "login", backend.url],
            env=environment,
            stdout=subprocess.DEVNULL,
            timeout=PATIENCE,
            check=True,
        )


def _address_in(log: Path, server: subprocess.Popen[bytes]) -> str:
    """What moto says it listens at."""
    gives_up = time.monotonic() + PATIENCE
    while server.poll() is None and time.monotonic() < gives_up:
        if found := re.search(r"Running on (http://\S+)", log.read_text()):
            return found[1]
        time.sleep(0.05)
    raise RuntimeError(f"moto's server did not come up:\n{log.read_text()}")
