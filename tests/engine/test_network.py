"""Both forms on the real engine in a company: behind its proxy, with certificates of its own."""

from __future__ import annotations

import json
import socket
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.company import Company, authority, company_of
from tests.engine.stack import Form, Stack
from tests.engine.test_no_leak import LOUD, written
from tests.proxies import Proxy, http_proxy, socks_proxy
from tests.simulated import Simulator

USER, PASSWORD = "corp-user", "pa55-marked-6d1f"


@pytest.fixture
def company(api: Simulator, tmp_path: Path) -> Generator[Company]:
    """The simulated API, behind a company's proxy."""
    with company_of(api, authority(), tmp_path) as made:
        yield made


@pytest.fixture
def behind(company: Company, form: Form, tmp_path: Path) -> Stack:
    """A stack on a machine of the company that knows the company's certificates."""
    stack = Stack(tmp_path / "stack", form, company.url)
    stack.env |= {"SSL_CERT_FILE": str(company.ca_file), "NO_PROXY": "localhost,fd00::/8,[::1]"}
    stack.declare()
    return stack


@pytest.mark.parametrize("kind", ["http", "socks5"])
def test_a_remediation_runs_behind_a_proxy_whose_password_is_shown_nowhere(behind: Stack, company: Company, kind: str):
    loud = behind.folder / "loud"
    loud.mkdir()
    (loud / "sitecustomize.py").write_text(LOUD)
    serve = http_proxy if kind == "http" else socks_proxy
    with serve(Proxy(company.leads, user=(USER, PASSWORD))) as proxy:
        behind.env |= {
            "HTTPS_PROXY": f"{kind}://{USER}:{PASSWORD}@127.0.0.1:{proxy.port}",
            "PYTHONPATH": str(loud),
            "PYTHONASYNCIODEBUG": "1",
        }
        output = behind.up("--debug", check=True).output
    assert company.api.posts() == 1
    assert proxy.asked
    assert PASSWORD not in output
    kept = written(behind.folder)
    assert any(path.endswith(".log") and "httpcore" in text for path, text in kept.items()), "nobody was talkative"
    assert [path for path, text in kept.items() if PASSWORD in text] == []


def test_a_proxy_that_is_down_is_named_and_nothing_was_started(behind: Stack, company: Company):
    behind.configure("togetherai:maxRetries", "0")
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        behind.env["HTTPS_PROXY"] = address.replace("//", f"//{USER}:{PASSWORD}@")
        preview, up = behind.preview(), behind.up()
    told = f"cannot reach https://api.test/v1 through the proxy {address} of HTTPS_PROXY"
    assert preview.code == 0
    assert told in preview.output
    assert up.code == 1
    assert "no remediation of instance cluster-1-node-1 of cluster cluster-1 was started" in up.output
    assert told in up.output
    assert PASSWORD not in preview.output + up.output
    assert company.api.posts() == 0
    assert not behind.resources()


def test_a_proxy_that_does_not_let_through_is_not_asked_again(behind: Stack, company: Company):
    with http_proxy(Proxy(company.leads, refuses="403 Forbidden")) as proxy:
        behind.env["HTTPS_PROXY"] = f"http://127.0.0.1:{proxy.port}"
        up = behind.up()
    assert "of HTTPS_PROXY does not connect to https://api.test/v1 (403 Forbidden). Nothing was sent. " in up.output
    assert len(proxy.asked) < 5, "maxRetries is 5"


def test_a_variable_that_cannot_be_used_is_one_line(behind: Stack):
    behind.env["ALL_PROXY"] = f"socks4://{USER}:{PASSWORD}@127.0.0.1:1"
    for run in (behind.preview(), behind.up()):
        assert run.code == 1
        assert "ALL_PROXY is ...@127.0.0.1:1, a kind of proxy that the provider does not know" in run.output
        assert PASSWORD not in run.output
        assert "this is a bug" not in run.output
        assert "Traceback" not in run.output


def test_an_address_that_cannot_be_looked_up_is_one_line(form: Form, tmp_path: Path, api: Simulator):
    stack = Stack(tmp_path / "stack", form, api.address)
    stack.declare()
    for url in ("https://api\t.test/v1", "https://☃☃.test"):
        stack.configure("togetherai:baseUrl", url)
        up = stack.up()
        assert up.code == 1
        assert "is not the address of an API; write one such as https://api.together.xyz/v1" in up.output
        assert "this is a bug" not in up.output
        assert "Traceback" not in up.output


# docs/network.md: Pulumi itself, and `https_proxy` in lower case
def test_the_plugin_finds_the_engine_whatever_the_lower_case_says(plugin_stack: Stack):
    """gRPC would look for it behind the proxy, and the lines of progress would be lost."""
    plugin_stack.env |= dict.fromkeys(("http_proxy", "https_proxy", "grpc_proxy"), "http://127.0.0.1:9")
    plugin_stack.declare()
    assert "SUCCEEDED after" in plugin_stack.up(check=True).output


def test_a_component_finds_the_engine_too(plugin_stack: Stack, api: Simulator):
    project = json.loads((plugin_stack.folder / "Pulumi.yaml").read_text())
    project["resources"] = {
        "rack": {
            "type": "togetherai:RollingRemediation",
            "properties": {
                "clusterId": "cluster-1",
                "instances": ["cluster-1-node-1", "cluster-1-node-2"],
                "mode": "REBOOT_VM",
            },
        }
    }
    project["outputs"] = {}
    (plugin_stack.folder / "Pulumi.yaml").write_text(json.dumps(project))
    plugin_stack.env["https_proxy"] = "http://127.0.0.1:9"
    plugin_stack.up(check=True)
    assert api.posts() == 2


def test_a_python_program_needs_no_proxy_for_the_engine(tmp_path: Path, api: Simulator):
    stack = Stack(tmp_path / "stack", "dynamic", api.address)
    stack.declare()
    stack.env |= {"https_proxy": "http://127.0.0.1:9", "no_proxy": "127.0.0.1,localhost"}
    assert "SUCCEEDED after" in stack.up(check=True).output
