"""State on a server that several machines share: what docs/state.md says about locks, moving and secrets."""

from __future__ import annotations

import base64
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import httpx

from tests.backends import postgres_programs, s3
from tests.engine.stack import Backend, Stack
from tests.engine.test_no_leak import declare_explicit
from tests.simulated import Simulator, simulator

KEY = "tgp-marked-5d20e8c1b7"
REASON = "names a customer"


def test_a_second_runner_may_look_but_the_lock_refuses_it_with_advice(shared: Backend, tmp_path: Path, api: Simulator):
    first = Stack(tmp_path / "first", "plugin", api.address, backend=shared, name=tmp_path.name)
    second = first.elsewhere(tmp_path / "second")
    api.behave(outcome="never")
    for runner in (first, second):
        runner.declare()
    with first.running("up", "--yes", "--skip-preview") as up:
        remediation = api.until("RUNNING")
        for command in (second.up, second.refresh, second.destroy):
            refused = command()
            assert refused.code == 1
            assert (
                "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end"
                in (refused.output)
            )
            assert "delete the lock file with `pulumi cancel`" in refused.output
            assert f"(pid {up.pid})" in refused.output
        looked = second.preview()
        assert looked.code == 0
        assert f"will start nothing and take over remediation {remediation['id']}" in looked.output
        api.force(remediation["id"], "SUCCEEDED")
        up.communicate(timeout=60)
    assert up.returncode == 0
    assert second.up(check=True).summary("unchanged") == 2
    assert api.posts() == 1


def test_a_stack_moves_from_a_folder_to_a_server_and_runs_nothing_again(
    shared: Backend, tmp_path: Path, api: Simulator
):
    here = Stack(tmp_path / "here", "plugin", api.address, name=tmp_path.name)
    there = Stack(tmp_path / "there", "plugin", api.address, backend=shared, name=tmp_path.name)
    for stack in (here, there):
        stack.declare(reason={"fn::secret": REASON})
    here.up(check=True)
    moved = str(tmp_path / "moved.json")
    here.run("stack", "export", "--file", moved, check=True)
    there.run("stack", "import", "--file", moved, check=True)
    assert there.up(check=True).summary("unchanged") == 2
    assert api.posts() == 1


def rows(backend: Backend) -> dict[str, bytes]:
    """What the engine keeps in PostgreSQL, by its key."""
    host = backend.url.partition("host=")[2]
    command = ["--no-align", "--tuples-only", "--command=select json_object_agg(key, data->>'data') from pulumi_state"]
    asked = subprocess.run(
        [str(postgres_programs() / "psql"), f"--host={host}", "--username=pulumi", *command, "state"],
        env=dict(backend.env),
        capture_output=True,
        check=True,
    )
    return {key: base64.b64decode(data) for key, data in json.loads(asked.stdout).items()}


def objects(backend: Backend) -> dict[str, bytes]:
    """What the engine keeps in a bucket, by its key."""
    with httpx.Client(base_url=f"{endpoint(backend)}/state/", headers=signed("s3")) as bucket:
        listed = ElementTree.fromstring(bucket.get("").raise_for_status().text)
        keys = [str(item.text) for item in listed.iter() if item.tag.endswith("}Key")]
        return {key: bucket.get(key).raise_for_status().content for key in keys}


STORED: dict[str, Callable[[Backend], dict[str, bytes]]] = {"postgres": rows, "s3": objects}


def endpoint(backend: Backend) -> str:
    """The address of the server behind a bucket."""
    found = re.search(r"endpoint=([^&]+)", backend.url)
    assert found
    return found[1]


def test_what_is_stored_holds_the_record_but_neither_the_key_nor_a_secret(shared: Backend, tmp_path: Path):
    with simulator(api_key=KEY) as api:
        stack = Stack(tmp_path / "stack", "plugin", api.address, api_key=None, backend=shared, name=tmp_path.name)
        stack.run("config", "set", "--secret", "key", KEY, check=True)
        stack.config = {}
        declare_explicit(stack, reason={"fn::secret": REASON})
        stack.up(check=True)
        (remediation,) = api.remediations()
        assert REASON in remediation["reason"]
    stored = STORED[shared.url.partition(":")[0]](shared)
    ours = [text for key, text in stored.items() if tmp_path.name in key]
    assert any(remediation["id"].encode() in text for text in ours)
    for text in stored.values():
        assert KEY.encode() not in text
        assert REASON.encode() not in text


def test_with_a_kms_the_next_machine_needs_the_stacks_file_no_passphrase(tmp_path: Path, api: Simulator):
    with s3() as backend:
        service = endpoint(backend)
        env = {**backend.env, "AWS_ENDPOINT_URL_KMS": service}
        stack = Stack(tmp_path / "first", "plugin", api.address, backend=Backend(backend.url, env))
        kept_by = f"awskms://{new_key(service)}?region=us-east-1"
        stack.run("stack", "change-secrets-provider", kept_by, check=True)
        del stack.env["PULUMI_CONFIG_PASSPHRASE"]
        stack.declare(reason={"fn::secret": REASON})
        stack.up(check=True)
        with_file, without = (stack.elsewhere(tmp_path / name) for name in ("with-file", "without"))
        file = f"Pulumi.{stack.name}.yaml"
        (with_file.folder / file).write_text((stack.folder / file).read_text())
        assert with_file.up(check=True).summary("unchanged") == 2
        refused = without.up()
        assert refused.code == 1
        assert "passphrase must be set with PULUMI_CONFIG_PASSPHRASE" in refused.output
        assert api.posts() == 1


def new_key(service: str) -> str:
    """The id of a new key of moto's key management service."""
    asked = {"X-Amz-Target": "TrentService.CreateKey", "Content-Type": "application/x-amz-json-1.1"}
    answer = httpx.post(service, headers=asked | signed("kms"), json={}).raise_for_status()
    return answer.json()["KeyMetadata"]["KeyId"]


def signed(service: str) -> dict[str, str]:
    """What makes moto take a request for one with credentials of a service: it looks at no signature."""
    return {"Authorization": f"AWS4-HMAC-SHA256 Credential=key/20260101/us-east-1/{service}/aws4_request"}
