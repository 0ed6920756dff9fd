"""Clients of AWS services, by botocore alone: it is on Lambda, and in the aws extra."""

from __future__ import annotations

import importlib.util
from typing import Any

from asl_engine.api.gateway_signing import gateway_region, sign_for_api_gateway
from asl_engine.errors import AslError


def aws_client(service: str, *, endpoint_url: str | None = None, region: str | None = None, attempts: int = 3) -> Any:
    """A client that tries each request so often and does not chain Lambda invocations.

    An endpoint at API Gateway gets the signatures that it wants. Raises AslError when no AWS SDK is installed.
    """
    if importlib.util.find_spec("botocore") is None:
        raise AslError(f'calling AWS ({service}) needs its SDK: pip install "asl-engine[aws]"')
    from botocore.config import Config
    from botocore.handlers import add_recursion_detection_header
    from botocore.session import get_session

    config = Config(
        connect_timeout=2, read_timeout=10, inject_host_prefix=False, retries={"total_max_attempts": attempts}
    )
    client = get_session().create_client(service, endpoint_url=endpoint_url, region_name=region, config=config)
    # On Lambda this header chains invocations, and AWS stops a chain of about 16: a workflow may well be longer.
    client.meta.events.unregister("before-call", add_recursion_detection_header)
    if gateway_region(endpoint_url) is not None:
        sign_for_api_gateway(client)
    return client
