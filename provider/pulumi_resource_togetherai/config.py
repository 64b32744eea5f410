"""The provider's configuration: one definition for the plugin, the dynamic form, the schema and the docs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from pulumi_resource_togetherai.api.network import is_loopback, is_name_of_host
from pulumi_resource_togetherai.fields import Choice, Duration, Inputs, seconds

if TYPE_CHECKING:
    from pulumi_resource_togetherai.api.client import Client, Credential

DEFAULT_BASE_URL = "https://api.together.xyz/v1"
API_KEY_VARIABLE = "TOGETHER_API_KEY"
BASE_URL_VARIABLE = "TOGETHER_BASE_URL"


class MissingApiKey(Exception):
    """There is no API key to use."""

    def __init__(self) -> None:
        super().__init__(
            f"there is no API key: set the environment variable {API_KEY_VARIABLE}, "
            "or run `pulumi config set --secret togetherai:apiKey`"
        )


class IfRecent(Choice):
    """What to do when another remediation of the instance succeeded a short while ago."""

    WARN = ("WARN", "Report who repaired the instance and when, and go on.")
    FAIL = ("FAIL", "Stop, and report that remediation.")
    IGNORE = ("IGNORE", "Report nothing: you intend to repair the instance again.")


class ProviderConfig(Inputs):
    """What can be set under `togetherai:` in a stack's configuration, or on an explicit provider."""

    api_key: SecretStr | None = None
    """The API key. Default: the environment variable TOGETHER_API_KEY."""
    base_url: str | None = None
    """The address of the API, with or without /v1. Default: the environment variable TOGETHER_BASE_URL, else
    https://api.together.xyz/v1."""
    dangerously_send_api_key_in_clear: bool = False
    """Whether the API key may be sent without encryption (http) to a machine other than this one. Everybody on the
    network path can then read the key and, with it, repair (that is, delete) every node of the account."""
    poll_interval: Duration = "5s"
    """The longest time between two polls of a cluster's remediations, such as 5s or 500ms. The first polls come
    sooner."""
    request_timeout: Duration = "30s"
    """How long one try of one request may take, such as 30s."""
    max_retries: int = Field(default=5, ge=0, le=100)
    """How often a request is repeated after a transient error."""
    preflight: bool = True
    """Whether a preview looks up the instance and reports what will happen. It only reads."""
    max_concurrent_per_cluster: int | None = Field(default=None, ge=1)
    """How many nodes of one cluster may be under repair at once: a guard on what a program can take down. Remediations
    beyond this limit wait for their turn before the provider starts or approves them. Remediations that others started
    count; proposals do not. Default: no limit."""
    if_recent: IfRecent = IfRecent.WARN
    """What to do when another remediation of the same node SUCCEEDED a short while ago. `recentWindow` says how short;
    who ran it does not matter. A resource can override this. An AUTO_RESOLVED remediation repaired nothing and does not
    count."""
    recent_window: Duration = "1h"
    """How long ago another remediation of a node may have succeeded and still be recent, such as 1h. It counts for
    `ifRecent`. A resource can override this."""

    @field_validator("api_key")
    @classmethod
    def _a_key_that_can_be_sent(cls, key: SecretStr | None) -> SecretStr | None:
        return None if key is None else SecretStr(_usable(key.get_secret_value()))

    @field_validator("base_url")
    @classmethod
    def _an_http_address(cls, url: str | None) -> str | None:
        return None if url is None else normalized_base_url(url)

    @field_validator("if_recent", mode="before")
    @classmethod
    def _a_known_choice(cls, value: Any) -> Any:
        if value not in IfRecent.__members__:
            raise ValueError(f'"{value}" is not one of {", ".join(IfRecent.__members__)}')
        return value

    def address(self, environment: Mapping[str, str] = os.environ) -> str:
        """The base URL in force, ending in /v1. Raises ValueError if the environment's is no URL, and if the API key
        would be sent to it unencrypted."""
        url = self.base_url or normalized_base_url(environment.get(BASE_URL_VARIABLE) or DEFAULT_BASE_URL)
        if urlsplit(url).scheme == "http" and not is_loopback(url) and not self.dangerously_send_api_key_in_clear:
            where = "baseUrl" if self.base_url else f"the environment variable {BASE_URL_VARIABLE}"
            raise ValueError(
                f"{where}: {url} is not encrypted, so others on the network could read the API key. Write https://. "
                "To use it all the same, set `dangerouslySendApiKeyInClear`"
            )
        return url

    def credential(self, environment: Mapping[str, str] = os.environ) -> Credential:
        """The API key in force and where it came from. Raises MissingApiKey, or ValueError for an unusable one."""
        from pulumi_resource_togetherai.api.client import Credential

        if self.api_key is not None:
            return Credential(self.api_key, "the provider's configuration (togetherai:apiKey)")
        if key := environment.get(API_KEY_VARIABLE):
            return Credential(SecretStr(_usable(key)), f"the environment variable {API_KEY_VARIABLE}")
        raise MissingApiKey

    def client(self) -> Client:
        """A client of the API with these settings. Raises MissingApiKey, NetworkSettingError, or ValueError for a bad
        address."""
        # The HTTP client takes a while to import, and code that does not call the API does not need it.
        from pulumi_resource_togetherai.api.client import Client

        return Client(
            self.address(),
            self.credential(),
            request_timeout=seconds(self.request_timeout),
            max_retries=self.max_retries,
        )


def _usable(key: str) -> str:
    """The key without the line end that secret stores often add. Raises ValueError if no HTTP header can hold it."""
    key = key.strip()
    if not key:
        raise ValueError("the API key is empty")
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise ValueError("the API key holds characters that no API key has")
    return key


def normalized_base_url(url: str) -> str:
    """An http(s) address with /v1 at its end. Raises ValueError, with what to write instead."""
    try:
        parts = urlsplit(url.strip())
        _ = parts.port
    except ValueError:
        parts = urlsplit("")
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or parts.query
        or parts.fragment
        or " " in url.strip()
        or not url.strip().isprintable()
        or not is_name_of_host(parts.hostname)
    ):
        shown = "what is given" if "@" in url else f'"{url}"'  # part of it may be secret
        raise ValueError(f"{shown} is not the address of an API; write one such as {DEFAULT_BASE_URL}")
    if "@" in parts.netloc:
        raise ValueError(
            f"an address with a user or a password in it ({parts.scheme}://...@{parts.hostname}) cannot be used, "
            "because messages show addresses. Set the API key as togetherai:apiKey"
        )
    plain = url.strip().rstrip("/")
    return plain if plain.endswith("/v1") else f"{plain}/v1"
