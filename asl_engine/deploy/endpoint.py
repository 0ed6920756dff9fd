"""A client for the API of a deployed engine."""

from __future__ import annotations

from typing import Any

from asl_engine.api.gateway_signing import gateway_region, sign_for_api_gateway
from asl_engine.errors import AslError


def step_functions_client(endpoint_url: str) -> Any:
    """A botocore client for Step Functions that a deployed engine accepts. Raises AslError without the AWS SDK.

    It can all that boto3.client("stepfunctions") can; the caller's identity needs execute-api:Invoke on the API.
    """
    try:
        from botocore.config import Config
        from botocore.session import get_session
    except ImportError as error:
        raise AslError('calling a deployed engine needs the AWS SDK: pip install "asl-engine[aws]"') from error
    session = get_session()
    region = gateway_region(endpoint_url) or session.get_config_variable("region") or "us-east-1"
    config = Config(inject_host_prefix=False)
    client = session.create_client("stepfunctions", endpoint_url=endpoint_url, region_name=region, config=config)
    sign_for_api_gateway(client)
    return client
