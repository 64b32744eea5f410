"""Which proxy leads to an address, as the environment says it."""

from __future__ import annotations

import pytest

from pulumi_resource_togetherai.api import network as module
from pulumi_resource_togetherai.api.network import NetworkSettingError, Proxy, network

URL = "https://api.corp.example/v1"
SECRET = "pa55-marked"


def proxy(url: str = URL) -> str:
    """The address of the proxy for a URL; empty if there is none."""
    found = network(url).proxy
    return found.url if found else ""


def test_no_variable_is_no_proxy():
    assert network(URL).proxy is None
    assert str(network(URL)).startswith("no proxy; ")


# docs/network.md: `HTTPS_PROXY`, `HTTP_PROXY`
def test_each_scheme_has_its_variable(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://one:1")
    monkeypatch.setenv("HTTP_PROXY", "http://two:2")
    assert (proxy(), proxy("http://api.corp.example/v1")) == ("http://one:1", "http://two:2")
    assert network(URL).proxy == Proxy("http://one:1", "HTTPS_PROXY")


# docs/network.md: `ALL_PROXY`
def test_all_proxy_counts_where_the_schemes_own_is_not_set(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ALL_PROXY", "http://all:1")
    assert network(URL).proxy == Proxy("http://all:1", "ALL_PROXY")
    monkeypatch.setenv("HTTPS_PROXY", "http://one:1")
    assert (proxy(), proxy("http://api.corp.example/v1")) == ("http://one:1", "http://all:1")


def test_a_proxy_that_leads_elsewhere_may_be_anything(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://one:1")
    monkeypatch.setenv("ALL_PROXY", "socks://10.0.0.1:1080/")
    monkeypatch.setenv("HTTP_PROXY", "nonsense://")
    assert proxy() == "http://one:1"


# docs/network.md: upper case and lower case
def test_the_lower_case_wins_and_an_empty_one_counts_too(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://upper:1")
    monkeypatch.setenv("https_proxy", "http://lower:1")
    assert network(URL).proxy == Proxy("http://lower:1", "https_proxy")
    monkeypatch.setenv("https_proxy", "")
    assert proxy() == ""
    monkeypatch.delenv("https_proxy")
    monkeypatch.setenv("HTTPS_PROXY", "")
    assert proxy() == ""


# docs/network.md: `REQUEST_METHOD`
def test_where_a_web_server_may_have_set_it_http_proxy_does_not_count(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HTTP_PROXY", "http://attacker:1")
    assert proxy("http://api.corp.example/v1") == "http://attacker:1"
    monkeypatch.setenv("REQUEST_METHOD", "GET")
    assert proxy("http://api.corp.example/v1") == ""
    monkeypatch.setenv("http_proxy", "http://good:1")
    assert proxy("http://api.corp.example/v1") == "http://good:1"


# docs/network.md: this machine itself
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "[::1]"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_this_machine_needs_no_proxy(monkeypatch: pytest.MonkeyPatch, host: str, scheme: str):
    monkeypatch.setenv("ALL_PROXY", "http://one:1")
    found = network(f"{scheme}://{host}:8080/v1")
    assert found.proxy is None
    assert found.direct == f"no proxy, because {host.strip('[]')} is this machine"


# docs/network.md: `NO_PROXY`
NAMED = [
    ("*", URL),
    ("api.corp.example", URL),
    ("corp.example", URL),
    (".corp.example", URL),
    (".corp.example", "https://corp.example"),
    ("*.corp.example", URL),
    ("CORP.example", URL),
    ("corp.example.", URL),
    ("other.example, corp.example", URL),
    ("other.example corp.example", URL),
    ("other.example,,corp.example,", URL),
    ("corp.example:443", URL),
    ("corp.example:8443", "https://api.corp.example:8443"),
    ("https://api.corp.example", URL),
    ("https://api.corp.example:443/", URL),
    ("10.1.2.3", "https://10.1.2.3"),
    ("10.0.0.0/8", "https://10.1.2.3"),
    ("10.1.2.3/8", "https://10.9.9.9"),
    ("10.1.2.3:8443", "https://10.1.2.3:8443"),
    ("localhost,fd00::/8", "https://[fd12:3456::1]"),
    ("[fd00::]/8", "https://[fd12:3456::1]"),
    ("2001:db8::1", "https://[2001:db8::1]"),
    ("[2001:db8::1]", "https://[2001:0db8:0::1]"),
    ("[2001:db8::1]:443", "https://[2001:db8::1]"),
]
OTHERS = [
    ("", URL),
    ("orp.example", URL),
    ("xapi.corp.example", URL),
    ("api.corp.example.org", URL),
    ("corp.example:8443", URL),
    ("443", URL),
    ("*.", URL),
    ("10.0.0.0/8", "https://11.1.2.3"),
    ("10.0.0.0/8", "https://[fd00::1]"),
    ("10.0.0.0/33", "https://10.1.2.3"),
    ("2.3", "https://10.1.2.3"),
    ("10.1.2.3:8443", "https://10.1.2.3"),
    ("fd00::/8", "https://10.1.2.3"),
    ("fd00::/8,[::1]", URL),
    ("[2001:db8::1]:8443", "https://[2001:db8::1]"),
    ("[", URL),
    ("::", URL),
    ("/,:,//,[]:1", URL),
]


@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
@pytest.mark.parametrize(("entries", "url"), NAMED)
def test_no_proxy_names_the_address(monkeypatch: pytest.MonkeyPatch, name: str, entries: str, url: str):
    monkeypatch.setenv("HTTPS_PROXY", "http://one:1")
    monkeypatch.setenv(name, entries)
    found = network(f"{url}/v1")
    assert found.proxy is None
    assert found.direct.startswith(f"no proxy, because {name} holds ")


@pytest.mark.parametrize(("entries", "url"), OTHERS)
def test_no_proxy_names_another_address(monkeypatch: pytest.MonkeyPatch, entries: str, url: str):
    monkeypatch.setenv("HTTPS_PROXY", "http://one:1")
    monkeypatch.setenv("NO_PROXY", entries)
    assert proxy(f"{url}/v1") == "http://one:1"


# docs/network.md: an address without `http://`
@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("one.example:3128", "http://one.example:3128"),
        ("one.example", "http://one.example"),
        ("10.0.0.1:3128", "http://10.0.0.1:3128"),
        ("http://[fd00::1]:3128/", "http://[fd00::1]:3128"),
        (" http://one:1\n", "http://one:1"),
        ("HTTP://One:1", "http://one:1"),
    ],
)
def test_an_address_may_be_written_in_short(monkeypatch: pytest.MonkeyPatch, written: str, read: str):
    monkeypatch.setenv("HTTPS_PROXY", written)
    assert proxy() == read


# docs/network.md: a user and a password in the address
@pytest.mark.parametrize(
    ("written", "user"),
    [
        (f"http://me:{SECRET}@one:1", ("me", SECRET)),
        (f"me:{SECRET}@one:1", ("me", SECRET)),
        (f"http://me:{SECRET}%2F%40%3A%23@one:1", ("me", f"{SECRET}/@:#")),
        (f"http://corp%5Cme:{SECRET}:@@one:1", ("corp\\me", f"{SECRET}:@")),
        (f"http://{SECRET}@one:1", (SECRET, "")),
    ],
)
def test_a_user_and_a_password_are_kept_and_shown_nowhere(
    monkeypatch: pytest.MonkeyPatch, written: str, user: tuple[str, str]
):
    monkeypatch.setenv("HTTPS_PROXY", written)
    found = network(URL)
    assert found.proxy is not None
    assert (found.proxy.url, found.proxy.user) == ("http://one:1", user)
    assert SECRET not in f"{found} {found!r} {found.proxy} {found.proxy!r}"


# docs/network.md: an address that is none
@pytest.mark.parametrize(
    "written",
    [
        f"http://me:{SECRET}@gate:port",
        f"http://me:1/{SECRET}@gate:3128",
        f"http://me:1#{SECRET}@gate:3128",
        f"http://me:1?{SECRET}@gate:3128",
        f"http://me:{SECRET} @gate:3128",
        f"http://me:{SECRET}%40gate:port",
        f"http://me:{SECRET}://x@gate:port",
        f"me:{SECRET}://x@gate:3128",
        f"http://me:{SECRET}@",
        f"http://me:{SECRET}@[gate:1",
        f"ftp://me:{SECRET}@gate:1",
        f"socks4://me:{SECRET}@gate:1",
        "http://",
        "http://gate:99999",
        "http://gate\t:1",
        "http://gate..example:1",
        "http://gate☃☃.example:1",
    ],
)
def test_what_is_no_address_of_a_proxy_is_one_line_that_shows_no_password(
    monkeypatch: pytest.MonkeyPatch, written: str
):
    monkeypatch.setenv("HTTPS_PROXY", written)
    with pytest.raises(NetworkSettingError, match=r"^HTTPS_PROXY is ") as caught:
        network(URL)
    assert SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert ("gate" in str(caught.value)) == ("gate" in written)


# docs/network.md: `socks4://` and other kinds
@pytest.mark.parametrize("kind", ["socks4", "socks4a", "socks", "ftp", "quic"])
def test_a_kind_of_proxy_that_is_not_known_is_named(monkeypatch: pytest.MonkeyPatch, kind: str):
    monkeypatch.setenv("ALL_PROXY", f"{kind}://one:1080")
    told = f"ALL_PROXY is {kind}://one:1080, a kind of proxy that the provider does not know: it knows http, https, "
    with pytest.raises(NetworkSettingError) as caught:
        network(URL)
    assert str(caught.value).startswith(told)


def test_a_socks_proxy_without_its_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ALL_PROXY", f"socks5://me:{SECRET}@one:1080")
    monkeypatch.setattr(module, "find_spec", {"socksio": None}.get)
    with pytest.raises(NetworkSettingError) as caught:
        network(URL)
    assert str(caught.value) == (
        "ALL_PROXY is ...@one:1080, a SOCKS proxy, which needs an extra: "
        "pip install 'pulumi-resource-togetherai[socks]'"
    )


# docs/network.md: the proxy of Windows' or macOS's settings
def test_the_systems_settings_count_where_no_variable_names_a_proxy(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "getproxies", lambda: {"https": "http://system:1"})
    monkeypatch.setattr(module, "proxy_bypass", "api.corp.example".__eq__)
    assert network("https://api.example/v1").proxy == Proxy("http://system:1", "the system's settings")
    assert network(URL).direct == "no proxy for api.corp.example in the system's settings"
