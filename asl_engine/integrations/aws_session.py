"""Clients of AWS, real or emulated: opened when first used, shared by all that call the same service.

Endpoint, region and credentials come from boto3's standard variables. The SDK sends each request exactly once: a retry
of its own would repeat work without a trace in the history, and whether to try again is for those to say who know.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
from collections.abc import Mapping
from contextlib import AsyncExitStack
from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit

from asl_engine.errors import AslError

# A function may run 900 seconds: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
_READ_TIMEOUT_SECONDS: Final = {"lambda": 930}
_READ_TIMEOUT_SECONDS_DEFAULT: Final = 120
_CONNECT_TIMEOUT_SECONDS: Final = 10
_CONNECTIONS_MAX: Final = 1_000
_LOCAL_REGION: Final = "us-east-1"
_LOCAL_CREDENTIALS: Final = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
_CREDENTIALS: Final = (
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
)


class AwsClients:
    """One aiobotocore client for each service and region, in as many requests at once as anybody likes.

    Belongs to the event loop in which the first client is opened, until it is closed.
    """

    def __init__(
        self,
        *,
        endpoint_url: str | None = None,
        region: str | None = None,
        environ: Mapping[str, str] = os.environ,
        has_identity: bool = False,
    ) -> None:
        """`endpoint_url` is for every service; without it `environ` may name some.

        `has_identity` says that there are credentials although `environ` names none: an instance's role. Raises
        AslError: no AWS SDK is installed, or an endpoint is no URL.
        """
        for module in ("aiobotocore", "botocore"):
            if importlib.util.find_spec(module) is None:
                raise AslError('calling AWS services needs the AWS SDK: pip install "asl-engine[aws]"')
        self._environ, self._has_identity = environ, has_identity
        self._endpoint_url = endpoint_url
        self._region = region or self._environ.get("AWS_REGION") or self._environ.get("AWS_DEFAULT_REGION")
        for url in (endpoint_url, *configured_endpoints(self._environ).values()):
            if url is not None and not _host(url):
                raise AslError(f'the AWS endpoint "{url}" is no URL: write http://host:port')
        self._clients: dict[tuple[str, str | None], Any] = {}
        self._sessions: dict[bool, Any] = {}
        self._lock = asyncio.Lock()
        self._resources = AsyncExitStack()

    def endpoint_url(self, service: str) -> str | None:
        """Where a service, by botocore's name, is called; None at the real AWS."""
        if self._endpoint_url is not None:
            return self._endpoint_url
        endpoints = configured_endpoints(self._environ)
        own = endpoints.get(_endpoint_suffix(service)) if endpoints else None
        return own or endpoints.get("")

    def is_local(self, service: str) -> bool:
        """Whether the service is emulated, and so accepts any identity."""
        endpoint_url = self.endpoint_url(service)
        return endpoint_url is not None and not _host(endpoint_url).endswith(_AWS_DOMAINS)

    def reaches(self, service: str) -> bool:
        """Whether a call could get anywhere: an endpoint is named, or there are credentials and a region."""
        return self._reaches_aws() or self.endpoint_url(service) is not None

    @property
    def reaches_any(self) -> bool:
        """Whether it reaches some service."""
        return self._reaches_aws() or self._endpoint_url is not None or bool(configured_endpoints(self._environ))

    def _reaches_aws(self) -> bool:
        named = self._region is not None and any(self._environ.get(name) for name in _CREDENTIALS)
        return self._has_identity or named

    async def client(self, service: str, region: str | None = None) -> Any:
        """The client of a service, in the configured region or in another one."""
        key = (service, region or self._region)
        async with self._lock:
            if key not in self._clients:
                self._clients[key] = await self._open(*key)
            return self._clients[key]

    def session(self, local: bool) -> Any:
        """The session of all clients, which takes time to make; of those of emulators, if they are `local`."""
        from aiobotocore.session import get_session  # type: ignore[import-untyped]

        if local not in self._sessions:
            session = self._sessions[local] = get_session()
            session.register_component("data_loader", _loader())
            if local:
                # An emulator accepts any identity; looking for one on the network would only cost time.
                session.get_component("credential_provider").remove("iam-role")
        return self._sessions[local]

    async def close(self) -> None:
        """Close the connections. The next call opens new ones."""
        self._clients.clear()
        await self._resources.aclose()

    async def _open(self, service: str, region: str | None) -> Any:
        from aiobotocore.config import AioConfig  # type: ignore[import-untyped]
        from botocore.handlers import add_recursion_detection_header

        session = self.session(self.is_local(service))
        options: dict[str, Any] = {"endpoint_url": self.endpoint_url(service), "region_name": region}
        if self.is_local(service):
            if await session.get_credentials() is None:
                options |= _LOCAL_CREDENTIALS
            options["region_name"] = region or session.get_config_variable("region") or _LOCAL_REGION
        config = AioConfig(
            connect_timeout=_CONNECT_TIMEOUT_SECONDS,
            read_timeout=_READ_TIMEOUT_SECONDS.get(service, _READ_TIMEOUT_SECONDS_DEFAULT),
            max_pool_connections=_CONNECTIONS_MAX,
            retries={"total_max_attempts": 1},
            # What a value may be is for the service to say, in its words; but an empty part of a path is another path.
            parameter_validation=(await session.get_service_model(service)).protocol.startswith("rest"),
        )
        client = await self._resources.enter_async_context(session.create_client(service, config=config, **options))
        # On Lambda this header chains invocations, and AWS stops a chain of about 16: a workflow may well be longer.
        client.meta.events.unregister("before-call", add_recursion_detection_header)
        return client


def configured_endpoints(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The endpoints that boto3's variables name, by service as in AWS_ENDPOINT_URL_<SERVICE>; "" is for all others."""
    if environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true":
        return {}
    return {
        name.removeprefix(_ENDPOINT_URL).removeprefix("_"): url
        for name, url in environ.items()
        if url and (name == _ENDPOINT_URL or name.startswith(f"{_ENDPOINT_URL}_"))
    }


@cache
def service_model(service: str) -> Any:
    """botocore's model of a service. Raises botocore's UnknownServiceError."""
    from botocore.model import ServiceModel

    return ServiceModel(_loader().load_service_model(service, "service-2"), service)


@cache
def _loader() -> Any:
    """Reads and keeps the models: a large one takes a second and tens of megabytes."""
    from botocore.loaders import create_loader

    return create_loader(os.environ.get("AWS_DATA_PATH"))


@cache
def _endpoint_suffix(service: str) -> str:
    """What follows AWS_ENDPOINT_URL_ for a service; its name in capitals if botocore does not know it."""
    from botocore.exceptions import UnknownServiceError

    try:
        service_id: str = service_model(service).service_id
    except UnknownServiceError:
        service_id = service
    return service_id.replace(" ", "_").replace("-", "_").upper()


def _host(endpoint_url: str) -> str:
    try:
        return urlsplit(endpoint_url).hostname or ""
    except ValueError:
        return ""


_ENDPOINT_URL: Final = "AWS_ENDPOINT_URL"
_AWS_DOMAINS: Final = (".amazonaws.com", ".amazonaws.com.cn")
