"""The client behind real proxies: what arrives, and what an error says where nothing does."""

from __future__ import annotations

import gc
import logging
import socket
import warnings
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager

import pytest
from pydantic import SecretStr

from pulumi_resource_togetherai.api.client import Client, Credential
from pulumi_resource_togetherai.api.enums import RemediationMode
from pulumi_resource_togetherai.api.errors import AnswerLost, ApiError, NotReached, ProxyRefused, ServerError
from pulumi_resource_togetherai.api.sending import Sending
from tests.company import Company, server_side
from tests.proxies import Proxy, http_proxy, socks_proxy
from tests.simulated import API_KEY

USER, PASSWORD = "corp-user", "pa55-marked"
SENT_NOTHING = "Nothing was sent. "


@pytest.fixture(autouse=True)
def trusting(monkeypatch: pytest.MonkeyPatch, company: Company) -> None:
    """The machine knows the company's certificate authority."""
    monkeypatch.setenv("SSL_CERT_FILE", str(company.ca_file))


@asynccontextmanager
async def client(url: str, *, request_timeout: float = 10.0) -> AsyncGenerator[Client]:
    """A client that tries once."""
    credential = Credential(SecretStr(API_KEY), "the test")
    async with Client(url, credential, max_retries=0, request_timeout=request_timeout) as it:
        yield it


async def create(it: Client) -> None:
    """Starts a remediation."""
    await it.create_remediation(
        "cluster-1", "cluster-1-node-1", mode=RemediationMode.REBOOT_VM, reason="why", remediation_id="key"
    )


async def failure(url: str, *, request_timeout: float = 10.0) -> ApiError:
    """The error that a create ends with."""
    async with client(url, request_timeout=request_timeout) as it:
        with pytest.raises(ApiError) as caught:
            await create(it)
    error = caught.value
    assert PASSWORD not in f"{error} {error!r}"
    # httpcore 1.0.9 leaves the socket to the garbage collector where a SOCKS proxy refuses.
    error.__cause__ = error.__context__ = None
    del caught
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
    return error.with_traceback(None)


# docs/network.md: `HTTPS_PROXY`, `HTTP_PROXY`
async def test_requests_go_through_an_http_proxy(monkeypatch: pytest.MonkeyPatch, company: Company):
    with http_proxy(Proxy(company.leads)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        async with client(company.url) as it:
            await create(it)
            assert str(it.network).startswith(f"through the proxy http://127.0.0.1:{proxy.port} of HTTPS_PROXY; ")
    assert proxy.asked == ["CONNECT api.test:443"]
    assert company.api.posts() == 1


# docs/network.md: `http://` addresses of the API
async def test_an_unencrypted_request_is_forwarded(monkeypatch: pytest.MonkeyPatch, company: Company):
    with http_proxy(Proxy(company.leads, user=(USER, PASSWORD))) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://{USER}:{PASSWORD}@127.0.0.1:{proxy.port}")
        async with client("http://api.test/v1") as it:
            await create(it)
    assert [asked.partition("?")[0] for asked in proxy.asked] == [
        "POST http://api.test/v1/compute/clusters/cluster-1/instances/cluster-1-node-1/remediations"
    ]
    assert company.api.posts() == 1


# docs/network.md: an `https://` proxy
async def test_the_way_to_the_proxy_may_be_encrypted_too(monkeypatch: pytest.MonkeyPatch, company: Company):
    tls = server_side(company.ca, "localhost")
    with http_proxy(Proxy(company.leads, user=(USER, PASSWORD)), tls) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"https://{USER}:{PASSWORD}@localhost:{proxy.port}")
        async with client(company.url) as it:
            await create(it)
    assert company.api.posts() == 1


# docs/network.md: `socks5://`, `socks5h://`
@pytest.mark.parametrize("kind", ["socks5", "socks5h"])
@pytest.mark.parametrize("user", [None, (USER, PASSWORD)])
@pytest.mark.parametrize("url", ["https://api.test/v1", "http://api.test/v1"])
async def test_requests_go_through_a_socks_proxy_which_looks_the_name_up(
    monkeypatch: pytest.MonkeyPatch, company: Company, kind: str, user: tuple[str, str] | None, url: str
):
    leads = company.leads | {"api.test:80": company.leads["api.test"]}
    with socks_proxy(Proxy(leads, user=user)) as proxy:
        name = f"{USER}:{PASSWORD}@" if user else ""
        monkeypatch.setenv("ALL_PROXY", f"{kind}://{name}127.0.0.1:{proxy.port}")
        async with client(url) as it:
            await create(it)
    assert proxy.asked == [f"SOCKS api.test:{443 if url.startswith('https') else 80}"]
    assert company.api.posts() == 1


# docs/network.md: a user and a password in the address
@pytest.mark.parametrize("kind", ["http", "socks5"])
async def test_nobody_who_debugs_is_shown_the_password(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, company: Company, kind: str
):
    serve = http_proxy if kind == "http" else socks_proxy
    with caplog.at_level(logging.DEBUG), serve(Proxy(company.leads, user=(USER, PASSWORD))) as proxy:
        monkeypatch.setenv("ALL_PROXY", f"{kind}://{USER}:{PASSWORD}@127.0.0.1:{proxy.port}")
        async with client(company.url) as it:
            await create(it)
    assert "httpcore" in caplog.text
    assert PASSWORD not in caplog.text


# docs/network.md: the proxy is down
@pytest.mark.parametrize("kind", ["http", "socks5"])
async def test_a_proxy_that_is_down(monkeypatch: pytest.MonkeyPatch, company: Company, kind: str):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        monkeypatch.setenv("HTTPS_PROXY", f"{kind}://{USER}:{PASSWORD}@127.0.0.1:{port}")
        error = await failure(company.url)
    assert str(error) == (
        f"create remediation: cannot reach https://api.test/v1 through the proxy {kind}://127.0.0.1:{port} of "
        f"HTTPS_PROXY (All connection attempts failed). {SENT_NOTHING}Check HTTPS_PROXY; NO_PROXY=api.test does "
        "without the proxy"
    )
    assert type(error) is NotReached
    assert not error.maybe_took_effect
    assert error.transient


# docs/network.md: 407, or a user that a SOCKS proxy does not take
@pytest.mark.parametrize("given", ["", f"{USER}:wrong-{PASSWORD}@"])
async def test_a_proxy_that_wants_a_user(monkeypatch: pytest.MonkeyPatch, company: Company, given: str):
    with http_proxy(Proxy(company.leads, user=(USER, PASSWORD))) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{given}127.0.0.1:{proxy.port}")
        error = await failure(company.url)
    assert str(error) == (
        f"create remediation: the proxy http://127.0.0.1:{proxy.port} of HTTPS_PROXY does not connect to "
        f"https://api.test/v1 (407 Proxy Authentication Required). {SENT_NOTHING}The proxy "
        + (
            "does not take the user and the password in HTTPS_PROXY"
            if given
            else f"wants a user and a password: http://USER:PASSWORD@127.0.0.1:{proxy.port}"
        )
    )
    assert type(error) is ProxyRefused
    assert not error.maybe_took_effect
    assert not error.transient


@pytest.mark.parametrize("given", ["", f"{USER}:wrong-{PASSWORD}@"])
async def test_a_socks_proxy_that_wants_a_user(monkeypatch: pytest.MonkeyPatch, company: Company, given: str):
    with socks_proxy(Proxy(company.leads, user=(USER, PASSWORD))) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"socks5://{given}127.0.0.1:{proxy.port}")
        error = await failure(company.url)
    assert type(error) is ProxyRefused
    assert SENT_NOTHING + ("The proxy does not take" if given else "The proxy wants a user") in str(error)


async def test_a_socks_proxy_that_wants_no_user_but_gets_one(monkeypatch: pytest.MonkeyPatch, company: Company):
    with socks_proxy(Proxy(company.leads)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"socks5://{USER}:{PASSWORD}@127.0.0.1:{proxy.port}")
        assert type(await failure(company.url)) is ProxyRefused


# docs/network.md: 403, and every other refusal; 502, 503, 504, or a SOCKS proxy that finds no way
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("403 Forbidden", ProxyRefused),
        ("405 Method Not Allowed", ProxyRefused),
        ("302 Found", ProxyRefused),
        ("502 Bad Gateway", NotReached),
        ("503 Service Unavailable", NotReached),
    ],
)
async def test_a_proxy_that_does_not_connect(
    monkeypatch: pytest.MonkeyPatch, company: Company, status: str, kind: type[ApiError]
):
    with http_proxy(Proxy(company.leads, refuses=status)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        error = await failure(company.url)
    assert str(error) == (
        f"create remediation: the proxy http://127.0.0.1:{proxy.port} of HTTPS_PROXY does not connect to "
        f"https://api.test/v1 ({status}). {SENT_NOTHING}Check HTTPS_PROXY; NO_PROXY=api.test does without the proxy"
    )
    assert type(error) is kind
    assert not error.maybe_took_effect


async def test_a_socks_proxy_that_does_not_connect(monkeypatch: pytest.MonkeyPatch, company: Company):
    with socks_proxy(Proxy(company.leads, refuses="no")) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"socks5://127.0.0.1:{proxy.port}")
        error = await failure(company.url)
    assert type(error) is NotReached
    assert "does not connect to https://api.test/v1 (Proxy Server could not connect: " in str(error)


# docs/network.md: the proxy closes the connection, answers no HTTP, or does not answer
@pytest.mark.parametrize("instead", ["close", "noise", "silence"])
async def test_a_proxy_that_breaks_off_has_got_nothing_to_pass_on(
    monkeypatch: pytest.MonkeyPatch, company: Company, instead: str
):
    with http_proxy(Proxy(company.leads, instead=instead)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        error = await failure(company.url, request_timeout=0.5)
    assert type(error) is NotReached
    assert f"cannot reach https://api.test/v1 through the proxy http://127.0.0.1:{proxy.port} of HTTPS_PROXY (" in str(
        error
    )
    assert SENT_NOTHING in str(error)


async def test_a_socks_proxy_that_breaks_off_has_got_nothing_to_pass_on(
    monkeypatch: pytest.MonkeyPatch, company: Company
):
    with socks_proxy(Proxy(company.leads, instead="close")) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"socks5://127.0.0.1:{proxy.port}")
        error = await failure(company.url)
    assert type(error) is NotReached


async def test_a_server_that_does_not_answer_the_handshake_has_got_nothing(monkeypatch: pytest.MonkeyPatch):
    with no_answer() as port:
        monkeypatch.setenv("NO_PROXY", "*")
        error = await failure(f"https://127.0.0.1:{port}/v1", request_timeout=0.5)
    assert type(error) is NotReached


@contextmanager
def no_answer() -> Generator[int]:
    """A port that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


# docs/network.md: the connection breaks after that
async def test_what_has_left_may_have_taken_effect_and_the_error_names_the_proxy(
    monkeypatch: pytest.MonkeyPatch, company: Company
):
    company.api.add_fault({"kind": "drop_after", "operation": "create", "count": 1})
    with http_proxy(Proxy(company.leads)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        error = await failure(company.url)
    assert type(error) is AnswerLost
    assert error.maybe_took_effect
    assert company.api.posts() == 1
    through = (
        f"the connection to https://api.test/v1 through the proxy http://127.0.0.1:{proxy.port} of HTTPS_PROXY broke"
    )
    assert through in str(error)


async def test_a_proxy_that_dies_leaves_the_next_request_in_doubt_or_unsent(
    monkeypatch: pytest.MonkeyPatch, company: Company
):
    with http_proxy(Proxy(company.leads)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        opened = client(company.url)
        it = await opened.__aenter__()
        await it.get_cluster("cluster-1")
    with pytest.raises(ApiError) as caught:
        await create(it)
    await opened.__aexit__(None, None, None)
    assert type(caught.value) in (AnswerLost, NotReached)
    assert company.api.posts() == 0


# docs/network.md: `http://` addresses of the API
@pytest.mark.parametrize(
    ("refuses", "kind", "part"),
    [
        ("407 Proxy Authentication Required", ProxyRefused, "The proxy wants a user and a password"),
        ("502 Bad Gateway", ServerError, "502: Bad Gateway; it may come from the proxy http://127.0.0.1:{port}"),
        ("503 Service Unavailable", ServerError, "it may come from the proxy"),
    ],
)
async def test_an_unencrypted_answer_may_be_the_proxys(
    monkeypatch: pytest.MonkeyPatch, company: Company, refuses: str, kind: type[ApiError], part: str
):
    with http_proxy(Proxy(company.leads, refuses=refuses)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        error = await failure("http://api.test/v1")
    assert type(error) is kind
    assert part.format(port=proxy.port) in str(error)


async def test_an_api_behind_a_tunnel_answers_for_itself(monkeypatch: pytest.MonkeyPatch, company: Company):
    company.api.add_fault({"kind": "error", "status": 503, "operation": "create", "count": 1})
    with http_proxy(Proxy(company.leads)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        error = await failure(company.url)
    assert type(error) is ServerError
    assert "proxy" not in str(error)


# docs/network.md: `NO_PROXY`
async def test_no_proxy_does_without_the_proxy(monkeypatch: pytest.MonkeyPatch, company: Company):
    with http_proxy(Proxy(company.leads)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", "localhost,fd00::/8,[::1],api.test")
        error = await failure(company.url)
    assert proxy.asked == []
    assert str(error).startswith("create remediation: cannot reach https://api.test/v1 (")
    assert "proxy" not in str(error)


@pytest.mark.parametrize(
    "step",
    [
        "http11.send_request_headers.started",
        "http11.send_request_headers.begun",
        "http2.send_request_headers.started",
        "quic.open.started",
        "",
    ],
)
async def test_after_a_step_that_is_not_known_the_request_may_have_left(step: str):
    sending = Sending()
    assert not sending.has_not_left  # nobody has told anything
    await sending("connection.connect_tcp.started", {})
    assert sending.has_not_left
    await sending(step, {})
    await sending("connection.close.started", {})
    assert not sending.has_not_left
