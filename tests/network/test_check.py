"""`togetherai-check` in a company: it says which proxy and which certificates it uses, and what is wrong with them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.company import Company
from tests.proxies import Proxy, http_proxy, socks_proxy
from tests.simulated import API_KEY

USER, PASSWORD = "corp-user", "pa55-marked"


def check(company: Company, *arguments: str, url: str | None = None, **env: str) -> tuple[int, list[str]]:
    """The command's exit status, and its lines."""
    env = {"TOGETHER_BASE_URL": url or company.url, "TOGETHER_API_KEY": API_KEY, **env}
    command = [sys.executable, "-m", "pulumi_resource_togetherai.check_cli", "cluster-1", *arguments]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60)
    assert PASSWORD not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.returncode, (done.stdout + done.stderr).splitlines()


@pytest.mark.parametrize("kind", ["http", "socks5"])
def test_it_says_through_which_proxy_and_with_which_certificates(company: Company, kind: str):
    serve = http_proxy if kind == "http" else socks_proxy
    with serve(Proxy(company.leads, user=(USER, PASSWORD))) as proxy:
        code, lines = check(
            company,
            HTTPS_PROXY=f"{kind}://{USER}:{PASSWORD}@127.0.0.1:{proxy.port}",
            SSL_CERT_FILE=str(company.ca_file),
            NO_PROXY="localhost,fd00::/8,[::1]",
        )
    assert code == 0
    assert lines[0] == (
        f"ok    network  through the proxy {kind}://127.0.0.1:{proxy.port} of HTTPS_PROXY; certificates of "
        f"{company.ca_file} (SSL_CERT_FILE)"
    )
    assert lines[1] == "ok    address  https://api.test/v1 answers"


def test_it_says_so_before_it_asks(company: Company):
    code, lines = check(company, HTTPS_PROXY="http://127.0.0.1:9")
    assert code == 1
    assert lines[0].startswith("ok    network  through the proxy http://127.0.0.1:9 of HTTPS_PROXY; ")
    assert lines[1].startswith(
        "FAIL  address  get cluster: cannot reach https://api.test/v1 through the proxy http://127"
    )
    assert len(lines) == 2


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("ALL_PROXY", f"socks4://{USER}:{PASSWORD}@127.0.0.1:1080", "ALL_PROXY is ...@127.0.0.1:1080, a kind of proxy"),
        ("https_proxy", f"http://{USER}:{PASSWORD}/@proxy:1", "https_proxy is ...@proxy:1, which is not the address"),
        ("SSL_CERT_FILE", "/none.pem", "SSL_CERT_FILE is /none.pem, which cannot be read: No such file or directory"),
    ],
)
@pytest.mark.parametrize("described", [False, True])
def test_what_cannot_be_used_is_one_line(company: Company, variable: str, value: str, told: str, described: bool):
    code, lines = check(company, *(["--describe"] if described else []), **{variable: value})
    assert code == 1
    (line,) = lines
    assert line.startswith(f"FAIL  network  {told}")


def test_a_simulator_on_this_machine_needs_neither(company: Company):
    code, lines = check(company, url=company.api.address, ALL_PROXY="http://127.0.0.1:9", SSL_CERT_FILE="/none.pem")
    assert code == 0
    assert lines[0] == "ok    network  no proxy, because 127.0.0.1 is this machine; http:// needs no certificates"


def test_a_console_that_cannot_show_a_name_shows_it_written_out(company: Company):
    env = {"PYTHONIOENCODING": "cp1252", "HTTPS_PROXY": "http://лучше.example.test:1"}
    code, lines = check(company, **env)
    assert code == 1
    assert lines[0].startswith("ok    network  through the proxy http://\\u043b\\u0443")


@pytest.mark.parametrize(
    "url", ["https://api\t.test/v1", "https://a..test", f"https://{'a' * 64}.test", "https://☃☃.test"]
)
def test_an_address_that_cannot_be_looked_up_is_one_line(company: Company, url: str):
    code, lines = check(company, url=url)
    assert code == 1
    (line,) = lines
    assert line.startswith("FAIL  address  ")
    assert line.endswith(" is not the address of an API; write one such as https://api.together.xyz/v1")
