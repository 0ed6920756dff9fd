"""The AWS clients of the store. They belong to one event loop and are opened by their first use in it."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import zlib
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from asl_engine.errors import StoreUnavailable

_CONNECT_SECONDS: Final = 5
_READ_SECONDS: Final = 10
_CONNECTIONS_MAX: Final = 100
_LOCAL_REGION: Final = "us-east-1"
_LOCAL_CREDENTIALS: Final = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}


# Makes an SDK session for services of emulators, or of the real AWS. Making one takes time: clients may share it.
NewSession: TypeAlias = Callable[[bool], Any]


class UndecodableAnswer(Exception):
    """An answer whose body is damaged: what it said is unknown."""


def endpoint_of(service: str, environ: Mapping[str, str]) -> str | None:
    """The endpoint that boto3's variables name for a service; None for the real AWS."""
    if environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true":
        return None
    return environ.get(f"AWS_ENDPOINT_URL_{service.upper()}") or environ.get("AWS_ENDPOINT_URL") or None


class Connection:
    """Opens a client for each service. After `close`, or in another event loop, it opens new ones."""

    def __init__(self, environ: Mapping[str, str] = os.environ, new_session: NewSession | None = None) -> None:
        for module in ("aiobotocore", "botocore"):
            if importlib.util.find_spec(module) is None:
                raise StoreUnavailable('a store in DynamoDB needs the AWS SDK: pip install "asl-engine[aws]"')
        self._environ, self._new_session = environ, new_session or _new_session
        self._region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._opened: dict[str, Any] = {}
        self._resources = AsyncExitStack()
        self._lock = asyncio.Lock()
        self._sessions: dict[bool, Any] = {}

    def is_local(self, service: str) -> bool:
        """Whether the service is an emulator's."""
        url = endpoint_of(service, self._environ)
        host = urlsplit(url).hostname or "" if url else ""
        return url is not None and not host.endswith((".amazonaws.com", ".amazonaws.com.cn"))

    async def client(self, service: str) -> Any:
        """The client of `dynamodb` or `s3`."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._opened, self._lock = loop, {}, asyncio.Lock()
            self._resources, self._sessions = AsyncExitStack(), {}
        if service not in self._opened:
            async with self._lock:
                if service not in self._opened:
                    self._opened[service] = await self._open(service)
        return self._opened[service]

    async def close(self) -> None:
        """Close what is open in this event loop."""
        self._opened.clear()
        if self._loop is asyncio.get_running_loop():
            await self._resources.aclose()

    async def _open(self, service: str) -> Any:
        from aiobotocore.config import AioConfig  # type: ignore[import-untyped]
        from botocore.handlers import add_recursion_detection_header

        local = self.is_local(service)
        session = self._sessions[local] = self._sessions.get(local) or self._new_session(local)
        options: dict[str, Any] = {"region_name": self._region, "endpoint_url": endpoint_of(service, self._environ)}
        if local:
            if await session.get_credentials() is None:
                options |= _LOCAL_CREDENTIALS
            options["region_name"] = self._region or session.get_config_variable("region") or _LOCAL_REGION
        config = AioConfig(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            max_pool_connections=_CONNECTIONS_MAX,
            # The SDK would repeat a conditional write that did happen, and report that its condition is not met.
            retries={"total_max_attempts": 1},
            s3={"addressing_style": "path"} if local else None,
        )
        client = await self._resources.enter_async_context(session.create_client(service, config=config, **options))
        # On Lambda this header chains invocations, and AWS stops a chain of about 16: a workflow may well be longer.
        client.meta.events.unregister("before-call", add_recursion_detection_header)
        client.meta.events.register("before-parse.dynamodb", _check_answer)
        return client


def _new_session(local: bool) -> Any:
    from aiobotocore.session import get_session  # type: ignore[import-untyped]

    session = get_session()
    if local:
        # An emulator accepts any identity; looking for one on the network would only cost time.
        session.get_component("credential_provider").remove("iam-role")
    return session


def _check_answer(response_dict: Mapping[str, Any], **_unused: object) -> None:
    """botocore takes a body that is no JSON for an empty answer: a truncated one would say that there is no item."""
    body, checksum = response_dict["body"], response_dict["headers"].get("x-amz-crc32")
    if checksum is not None and zlib.crc32(body) != int(checksum):
        raise UndecodableAnswer("its checksum does not match")
    if response_dict["status_code"] < 300 and not (body.startswith(b"{") and body.rstrip().endswith(b"}")):
        raise UndecodableAnswer("its body is no JSON object")
