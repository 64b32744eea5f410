"""The way from this machine to the API: through which proxy, and whose certificates count.

The environment says it, in the variables that curl, Go and Python's HTTP clients share (docs/network.md). It is read
here, once per client, and httpx is told the result: httpx itself fails on a range in NO_PROXY and on a proxy that does
not concern the address, and its errors name no variable. Nothing that this module says of a proxy holds its password.
"""

from __future__ import annotations

import os
import re
import ssl
from dataclasses import dataclass, field
from importlib.util import find_spec
from ipaddress import ip_address, ip_network
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, getproxies_environment, proxy_bypass

from pulumi_resource_togetherai.sanitize import quoted

KINDS = ("http", "https", "socks5", "socks5h")
"""The kinds of proxies that httpx speaks to."""
INSTALL_SOCKS = "pip install 'pulumi-resource-togetherai[socks]'"
_PORTS = {"http": 80, "https": 443}
_HASHED = re.compile(r"[0-9a-f]{8}\.\d+")
"""How OpenSSL wants the files in a folder of certificates to be named."""


class NetworkSettingError(ValueError):
    """A variable of the environment that says how to reach the API cannot be used. The text is one line for the user
    that names the variable."""


@dataclass(frozen=True)
class Proxy:
    """The proxy between this machine and the API."""

    url: str
    """Its address, without user and password."""
    source: str
    """Where it is named: the variable, or the operating system's settings."""
    user: tuple[str, str] | None = field(default=None, repr=False)
    """The user and the password for it."""

    def __str__(self) -> str:
        return f"{self.url} of {self.source}"


@dataclass(frozen=True)
class Network:
    """How requests to one address travel."""

    proxy: Proxy | None = None
    direct: str = "no proxy"
    """Why there is no proxy, where there is none."""
    tls: ssl.SSLContext | None = None
    """Whose certificates are accepted; None where nothing is encrypted."""
    trusted: str = "http:// needs no certificates"
    """The same in words."""

    def __str__(self) -> str:
        return f"{f'through the proxy {self.proxy}' if self.proxy else self.direct}; {self.trusted}"


def network(url: str) -> Network:
    """How requests to an address travel, as the environment says now. Raises NetworkSettingError."""
    found = _proxy(url)
    proxy, direct = (found, "") if isinstance(found, Proxy) else (None, found)
    if not any(urlsplit(address).scheme == "https" for address in (url, proxy.url if proxy else "")):
        return Network(proxy, direct)
    context, trusted = _trust()
    # As Go and curl do: a certificate of the list is trusted, whether or not it is at the end of a chain.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return Network(proxy, direct, context, trusted)


def is_loopback(url: str) -> bool:
    """Whether an address is this machine's own."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def is_name_of_host(host: str) -> bool:
    """Whether a name has the form of one that can be looked up."""
    if not host.isascii():
        import httpx  # takes a while, and few names need it

        try:
            host = httpx.URL(f"https://{host}").raw_host.decode()
        except httpx.InvalidURL:
            return False
    try:
        return bool(host.encode("idna"))
    except UnicodeError:
        return False


def _proxy(url: str) -> Proxy | str:
    """The proxy for an address, or why there is none."""
    parts = urlsplit(url)
    named = getproxies()  # in lower case before upper case, and no HTTP_PROXY where a web server may have set it (CGI)
    kind = parts.scheme if parts.scheme in named else "all"
    if kind not in named:
        return "no proxy"
    host = (parts.hostname or "").rstrip(".")
    if is_loopback(url):
        return f"no proxy, because {host} is this machine"
    if not getproxies_environment():  # Windows' registry or macOS's settings name it
        source = "the system's settings"
        return f"no proxy for {host} in {source}" if proxy_bypass(host) else _read(named[kind], source)
    for entry in re.split(r"[,\s]+", named.get("no", "")):
        if _names(entry, host, parts.port or _PORTS[parts.scheme]):
            return f"no proxy, because {_variable('no')} holds {quoted(entry)}"
    return _read(named[kind], _variable(kind))


def _names(entry: str, host: str, port: int) -> bool:
    """Whether an entry of NO_PROXY names a host: `*`, a domain with all below it, an address or a range of addresses,
    in brackets or not; with a port, that port only."""
    if entry == "*":
        return True
    name, _, number = entry.lower().rpartition("://")[2].rstrip("/").rpartition(":")
    if number.isdigit() and (":" not in name or name.endswith("]")):
        if int(number) != port:
            return False
    else:  # no port: the last colon, if there is one, is part of an address
        name = f"{name}:{number}" if name else number
    name = name.replace("[", "").replace("]", "")
    try:
        address = ip_address(host)
    except ValueError:
        domain = name.removeprefix("*").strip(".")
        return bool(domain) and f".{host}".endswith(f".{domain}")
    try:
        return address in ip_network(name, strict=False)
    except ValueError:
        return False


def _variable(kind: str) -> str:
    """The name of the variable that says a proxy of this kind: the lower case counts first."""
    lower = f"{kind}_proxy"
    return lower if os.environ.get(lower) else lower.upper()


def _read(written: str, source: str) -> Proxy:
    """The proxy that somebody has written down. Raises NetworkSettingError."""
    value = written.strip()
    value = value if "://" in value else f"http://{value}"
    try:
        parts = urlsplit(value)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    beyond = parts.path + parts.query + parts.fragment
    if not (host and is_name_of_host(host) and value.isprintable()) or "@" in beyond or " " in value:
        raise NetworkSettingError(
            f"{source} is {_shown(value)}, which is not the address of a proxy. Write one such as "
            "http://proxy.example.com:3128; in a user or a password write / as %2F, @ as %40, # as %23 and ? as %3F"
        )
    if parts.scheme not in KINDS:
        raise NetworkSettingError(
            f"{source} is {_shown(value)}, a kind of proxy that the provider does not know: it knows {', '.join(KINDS)}"
        )
    if parts.scheme.startswith("socks") and find_spec("socksio") is None:
        raise NetworkSettingError(f"{source} is {_shown(value)}, a SOCKS proxy, which needs an extra: {INSTALL_SOCKS}")
    bracketed = f"[{host}]" if ":" in host else host
    user = None if parts.username is None else (unquote(parts.username), unquote(parts.password or ""))
    return Proxy(f"{parts.scheme}://{bracketed}{f':{port}' if port else ''}", source, user)


def _shown(value: str) -> str:
    """The address of a proxy without user and password, whatever else is wrong with it."""
    *secret, rest = re.split("@|%40", value)
    return quoted(f"...@{rest}" if secret else rest)


def _trust() -> tuple[ssl.SSLContext, str]:
    """Whose certificates count, for TLS and in words. Raises NetworkSettingError."""
    named = _named("SSL_CERT_FILE", "SSL_CERT_DIR") or _named("REQUESTS_CA_BUNDLE") or _named("CURL_CA_BUNDLE")
    if not named:
        import certifi
        import truststore

        # Both, because a bare container's system knows no certificates, and Mozilla none of a company.
        context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(certifi.where())
        return context, f"certificates of the operating system and of Mozilla (certifi {certifi.__version__})"
    context, counted = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), list[str]()
    for variable, path in named.items():
        problem = _load(context, path)
        if not problem:
            counted.append(f"{quoted(path)} ({variable})")
        elif variable != "SSL_CERT_DIR" or not counted:  # OpenSSL and Go pass over such a folder beside a file
            raise NetworkSettingError(f"{variable} is {quoted(path)}, {problem}")
    return context, f"certificates of {' and '.join(counted)}"


def _named(*variables: str) -> dict[str, str]:
    """The variables that are set, and the files or folders that they name."""
    return {variable: os.environ[variable] for variable in variables if os.environ.get(variable)}


def _load(context: ssl.SSLContext, path: str) -> str:
    """Accepts the certificates of a file, or of one or more folders. Returns why that cannot be done, if it cannot."""
    folders = [folder for folder in path.split(os.pathsep) if os.path.isdir(folder)]
    try:
        if not folders:
            context.load_verify_locations(path)
        elif any(_HASHED.fullmatch(name) for folder in folders for name in os.listdir(folder)):
            context.load_verify_locations(capath=os.pathsep.join(folders))
        else:
            return "where no file is named as OpenSSL looks for it: run `openssl rehash` on it"
    except ssl.SSLError:
        return "which holds no certificate in PEM format"
    except OSError as error:
        return f"which cannot be read: {error.strerror}"
    return ""
