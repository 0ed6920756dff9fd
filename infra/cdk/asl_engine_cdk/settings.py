"""What a deployment may choose: the variables of the Terraform module, under the same names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`packages_directory` is where `asl package` put the archives. Maps are by function: {"engine": 1024}."""

    packages_directory: str
    name: str = "asl-engine"
    architecture: Literal["arm64", "x86_64"] = "arm64"
    runtime: str = "python3.13"
    alias: str = "live"
    memory_mb: Mapping[str, int] = field(default_factory=dict)
    reserved_concurrency: Mapping[str, int] = field(default_factory=dict)
    engine_timeout_seconds: int = 900
    engine_maximum_concurrency: int = 100
    queue_message_bytes_max: int = 1_048_576
    default_task_timeout_seconds: int = 86_400
    expire_days: int = 0
    log_payloads: bool = False
    log_retention_days: int = 30
    metrics_namespace: str = "AslEngine"
    tracing: bool = False
    kms_key_arn: str | None = None
    mail_from: str | None = None
    mail_identity: str | None = None
    slack: bool = False
    webhooks: bool = False
    alerts_email: str | None = None
    bucket_force_destroy: bool = False
    deletion_protection: bool = True
    endpoints: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
