"""A company: its API is reached through its proxy only, with a certificate of the company's own."""

from __future__ import annotations

import ssl
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trustme

from tests.proxies import behind_tls
from tests.simulated import Simulator


@dataclass(frozen=True)
class Company:
    """Where the company's API is, and whose certificate it has."""

    api: Simulator
    leads: dict[str, int]
    """What a proxy of the company has to connect to: `host:port`, and the port of this machine."""
    ca: trustme.CA
    ca_file: Path
    url: str = "https://api.test/v1"

    @property
    def plain(self) -> int:
        """The API's port without TLS."""
        return self.leads["api.test"]


@contextmanager
def company_of(api: Simulator, ca: trustme.CA, folder: Path) -> Generator[Company]:
    """A company whose API is a simulator. The folder is for the CA's certificate."""
    ca_file = folder / "company-ca.pem"
    ca.cert_pem.write_to_path(str(ca_file))
    plain = int(api.address.removesuffix("/v1").rpartition(":")[2])
    with behind_tls(plain, server_side(ca, "api.test")) as encrypted:
        yield Company(api, {"api.test:443": encrypted, "api.test": plain}, ca, ca_file)


def authority() -> trustme.CA:
    """A certificate authority."""
    return trustme.CA(key_type=trustme.KeyType.ECDSA)


def server_side(ca: trustme.CA, *names: str) -> ssl.SSLContext:
    """TLS of a server with these names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate: Any = ca.issue_cert(*names)
    certificate.configure_cert(context)
    return context
