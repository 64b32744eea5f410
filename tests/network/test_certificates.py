"""Whose certificates the client accepts, as the environment says it."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
from collections.abc import Generator
from pathlib import Path

import certifi
import pytest
import trustme
from pydantic import SecretStr

from pulumi_resource_togetherai.api.client import Client, Credential
from pulumi_resource_togetherai.api.errors import NotReached
from pulumi_resource_togetherai.api.network import NetworkSettingError, network
from tests.company import Company, server_side
from tests.proxies import Proxy, behind_tls, http_proxy
from tests.simulated import API_KEY

URL = "https://api.corp.example/v1"


@pytest.fixture
def there(company: Company) -> Generator[str]:
    """The address of the company's API on this machine."""
    with behind_tls(company.plain, server_side(company.ca, "localhost")) as encrypted:
        yield f"https://localhost:{encrypted}/v1"


async def read(url: str) -> None:
    """Reads a cluster. Raises ApiError, or NetworkSettingError."""
    async with Client(url, Credential(SecretStr(API_KEY), "the test"), max_retries=0, request_timeout=10) as it:
        await it.get_cluster("cluster-1")


def hashed(folder: Path, certificate: Path) -> Path:
    """A folder of certificates as `openssl rehash` makes it."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl")
    folder.mkdir()
    told = subprocess.run(
        ["openssl", "x509", "-noout", "-subject_hash", "-in", certificate], capture_output=True, text=True, check=True
    )
    shutil.copy(certificate, folder / f"{told.stdout.strip()}.0")
    return folder


# docs/network.md: `SSL_CERT_FILE`
async def test_the_certificates_of_a_file_count_and_no_others(
    monkeypatch: pytest.MonkeyPatch, company: Company, there: str
):
    monkeypatch.setenv("SSL_CERT_FILE", str(company.ca_file))
    await read(there)
    assert str(network(URL)) == f"no proxy; certificates of {company.ca_file} (SSL_CERT_FILE)"
    monkeypatch.setenv("SSL_CERT_FILE", certifi.where())
    with pytest.raises(NotReached):
        await read(there)


# docs/network.md: `SSL_CERT_DIR`
async def test_the_certificates_of_folders_count(
    monkeypatch: pytest.MonkeyPatch, company: Company, there: str, tmp_path: Path
):
    folder, empty = hashed(tmp_path / "certificates", company.ca_file), tmp_path / "empty"
    empty.mkdir()
    monkeypatch.setenv("SSL_CERT_DIR", os.pathsep.join([str(empty), str(tmp_path / "none"), str(folder)]))
    await read(there)
    assert str(network(URL)).endswith(f"{folder} (SSL_CERT_DIR)")


async def test_a_file_and_a_folder_count_both(
    monkeypatch: pytest.MonkeyPatch, company: Company, there: str, tmp_path: Path
):
    monkeypatch.setenv("SSL_CERT_FILE", certifi.where())
    monkeypatch.setenv("SSL_CERT_DIR", str(hashed(tmp_path / "certificates", company.ca_file)))
    await read(there)
    assert " (SSL_CERT_FILE) and " in str(network(URL))


@pytest.mark.parametrize("folder", ["none", "."])
async def test_a_folder_without_certificates_beside_a_file_takes_nothing_from_it(
    monkeypatch: pytest.MonkeyPatch, company: Company, there: str, folder: str, tmp_path: Path
):
    monkeypatch.setenv("SSL_CERT_FILE", str(company.ca_file))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / folder))
    await read(there)
    assert str(network(URL)) == f"no proxy; certificates of {company.ca_file} (SSL_CERT_FILE)"


# docs/network.md: `REQUESTS_CA_BUNDLE`, `CURL_CA_BUNDLE`
@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
@pytest.mark.parametrize("as_folder", [False, True])
async def test_what_other_tools_are_told_counts_too(
    monkeypatch: pytest.MonkeyPatch, company: Company, there: str, variable: str, as_folder: bool, tmp_path: Path
):
    named = hashed(tmp_path / "certificates", company.ca_file) if as_folder else company.ca_file
    monkeypatch.setenv(variable, str(named))
    await read(there)
    assert str(network(URL)).endswith(f"{named} ({variable})")


async def test_the_first_of_them_that_is_set_counts(monkeypatch: pytest.MonkeyPatch, company: Company, there: str):
    for variable in ("CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv("SSL_CERT_FILE", "")
        monkeypatch.setenv(variable, str(company.ca_file))
        await read(there)
        assert str(network(URL)).endswith(f"{company.ca_file} ({variable})")
        monkeypatch.setenv(variable, certifi.where())


# docs/network.md: none of these
async def test_without_a_variable_the_operating_systems_certificates_count(
    monkeypatch: pytest.MonkeyPatch, company: Company, there: str, tmp_path: Path
):
    await distrusted(there)
    # What Linux distributions call the system's certificates, in a place that a test may write to.
    paths = ssl.get_default_verify_paths()._replace(cafile=None, capath=None)
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths)
    monkeypatch.setattr("truststore._openssl._CA_FILE_CANDIDATES", [str(company.ca_file)])
    await read(there)
    assert str(network(URL)).startswith("no proxy; certificates of the operating system and of Mozilla (certifi ")


def test_without_a_variable_mozillas_certificates_count_where_the_system_has_none():
    context = network(URL).tls
    assert context is not None
    known = ssl.create_default_context(cafile=certifi.where()).cert_store_stats()["x509_ca"]
    assert context._ctx.cert_store_stats()["x509_ca"] == known > 100  # pyright: ignore


async def distrusted(url: str) -> str:
    with pytest.raises(NotReached) as caught:
        await read(url)
    return str(caught.value)


# docs/network.md: a certificate that nobody of these has signed
async def test_a_certificate_that_is_not_trusted_is_named_with_those_that_are(
    monkeypatch: pytest.MonkeyPatch, company: Company, there: str
):
    with http_proxy(Proxy(company.leads)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        through, direct = await distrusted(company.url), await distrusted(there)
    for told, where in (
        (through, f"{company.url} through the proxy http://127.0.0.1:{proxy.port} of"),
        (direct, there),
    ):
        assert told.startswith(f"get cluster: cannot reach {where}")
        assert "CERTIFICATE_VERIFY_FAILED" in told
        assert ". The provider accepts certificates of the operating system and of Mozilla (certifi " in told
        assert told.endswith(
            ". If your network signs with a certificate of its own, set SSL_CERT_FILE to a file that holds it"
        )


async def test_a_certificate_for_another_name_is_not_trusted(
    monkeypatch: pytest.MonkeyPatch, company: Company, there: str
):
    monkeypatch.setenv("SSL_CERT_FILE", str(company.ca_file))
    assert "mismatch" in await distrusted(there.replace("localhost", "127.0.0.1"))


# docs/network.md: a certificate in the middle of a chain
async def test_it_is_enough_to_know_the_certificate_in_the_middle(
    monkeypatch: pytest.MonkeyPatch, company: Company, tmp_path: Path
):
    middle = company.ca.create_child_ca(key_type=trustme.KeyType.ECDSA)
    middle.cert_pem.write_to_path(str(tmp_path / "middle.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "middle.pem"))
    with behind_tls(company.plain, server_side(middle, "localhost")) as encrypted:
        await read(f"https://localhost:{encrypted}/v1")


# docs/network.md: a file or folder that cannot be used
@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("none.pem", "which cannot be read: No such file or directory"),
        ("none/none.pem", "which cannot be read: No such file or directory"),
        ("text.pem", "which holds no certificate in PEM format"),
        ("empty.pem", "which holds no certificate in PEM format"),
        ("der.pem", "which holds no certificate in PEM format"),
        ("folder", "where no file is named as OpenSSL looks for it: run `openssl rehash` on it"),
    ],
)
def test_what_holds_no_certificates_is_one_line_that_names_it(
    monkeypatch: pytest.MonkeyPatch, ca: trustme.CA, tmp_path: Path, variable: str, name: str, problem: str
):
    (tmp_path / "text.pem").write_text("hello\n")
    (tmp_path / "empty.pem").touch()
    (tmp_path / "der.pem").write_bytes(ssl.PEM_cert_to_DER_cert(ca.cert_pem.bytes().decode()))
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "ca.pem").write_bytes(ca.cert_pem.bytes())
    monkeypatch.setenv(variable, str(tmp_path / name))
    with pytest.raises(NetworkSettingError) as caught:
        network(URL)
    assert str(caught.value) == f"{variable} is {tmp_path / name}, {problem}"


def test_where_nothing_is_encrypted_certificates_do_not_matter(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    assert str(network("http://api.corp.example/v1")) == "no proxy; http:// needs no certificates"
