"""What AWS asks, in dollars: us-east-1, on demand, no free tier, no discount. Checked in November 2026."""

from __future__ import annotations

from typing import Final

MILLION: Final = 1_000_000

# https://aws.amazon.com/dynamodb/pricing/on-demand (since 1 November 2024)
WRITE_UNIT: Final = 0.625 / MILLION
READ_UNIT: Final = 0.125 / MILLION

# https://aws.amazon.com/sqs/pricing: a request is an action with up to 64 KB of payload
SQS_REQUEST: Final = 0.40 / MILLION
SQS_REQUEST_BYTES: Final = 64 * 1024

# https://aws.amazon.com/eventbridge/pricing
SCHEDULER_INVOCATION: Final = 1.00 / MILLION

# https://aws.amazon.com/lambda/pricing: arm64, billed by the millisecond
LAMBDA_REQUEST: Final = 0.20 / MILLION
LAMBDA_GB_SECOND: Final = 0.0000133334

# https://aws.amazon.com/api-gateway/pricing: HTTP API
API_REQUEST: Final = 1.00 / MILLION

# https://aws.amazon.com/s3/pricing
S3_PUT: Final = 5.00 / MILLION
S3_GET: Final = 0.40 / MILLION

# https://aws.amazon.com/cloudwatch/pricing: ingestion
LOG_BYTE: Final = 0.50 / 1_000_000_000

# https://aws.amazon.com/step-functions/pricing
STANDARD_TRANSITION: Final = 25.00 / MILLION
EXPRESS_REQUEST: Final = 1.00 / MILLION
EXPRESS_GB_SECOND: Final = 0.06 / 3600
EXPRESS_MEMORY_GB: Final = 64 / 1024  # the smallest that is billed
EXPRESS_SECONDS_MIN: Final = 0.1

# https://aws.amazon.com/lambda/pricing, durable functions; what they store and their own running time come on top
DURABLE_OPERATION: Final = 8.00 / MILLION
DURABLE_WRITTEN_BYTE: Final = 0.25 / 1_000_000_000
