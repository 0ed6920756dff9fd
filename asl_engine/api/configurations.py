"""Logging, tracing and encryption configurations: what AWS refuses, and how it shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asl_engine.errors import InvalidEncryptionConfiguration, InvalidLoggingConfiguration


def logging_configuration(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """As DescribeStateMachine shows it. Raises InvalidLoggingConfiguration."""
    given = given or {}
    level, destinations = given.get("level", "OFF"), given.get("destinations")
    if (level != "OFF" and not destinations) or len(destinations or ()) > 1:
        raise InvalidLoggingConfiguration("Invalid Logging Configuration: Must specify exactly one Log Destination.")
    for destination in destinations or ():
        group = (destination.get("cloudWatchLogsLogGroup") or {}).get("logGroupArn") or ""
        if not group.startswith("arn:") or ":log-group:" not in group or not group.endswith(":*"):
            raise InvalidLoggingConfiguration("Invalid Logging Configuration: Log Destination not found.")
    shown: dict[str, Any] = {"level": level, "includeExecutionData": given.get("includeExecutionData", False)}
    return shown if destinations is None else {**shown, "destinations": destinations}


def tracing_configuration(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """As DescribeStateMachine shows it."""
    return {"enabled": (given or {}).get("enabled", False)}


def encryption_configuration(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """As DescribeStateMachine shows it. Raises InvalidEncryptionConfiguration."""
    given = given or {"type": "AWS_OWNED_KEY"}
    if given["type"] == "AWS_OWNED_KEY":
        if "kmsKeyId" in given or "kmsDataKeyReusePeriodSeconds" in given:
            raise InvalidEncryptionConfiguration(
                "Invalid Encryption Configuration: kmsKeyId and kmsDataKeyReusePeriodSeconds "
                "can only be set when the type is CUSTOMER_MANAGED_KMS_KEY"
            )
        return {"type": "AWS_OWNED_KEY"}
    if "kmsKeyId" not in given:
        raise InvalidEncryptionConfiguration(
            "Invalid Encryption Configuration: kmsKeyId is required when the type is CUSTOMER_MANAGED_KMS_KEY"
        )
    return {"kmsDataKeyReusePeriodSeconds": 300, **given}
