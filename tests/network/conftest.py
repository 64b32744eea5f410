"""What the tests of the network share: an environment that names nothing, and an API behind a company's proxy."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest
import trustme

from tests.company import Company, authority, company_of
from tests.simulated import Simulator, simulator

CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """Removes what the machine's own network has set."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name in (*CERTIFICATES, "REQUEST_METHOD"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def ca() -> trustme.CA:
    """The company's certificate authority."""
    return authority()


@pytest.fixture(scope="module")
def running() -> Generator[Simulator]:
    """The company's API, for all tests of a file."""
    with simulator() as api:
        yield api


@pytest.fixture
def company(running: Simulator, ca: trustme.CA, tmp_path: Path) -> Generator[Company]:
    """A company, and nothing that names its proxies or certificates yet."""
    running.forget_requests()
    running.clear_faults()
    with company_of(running, ca, tmp_path) as made:
        yield made
