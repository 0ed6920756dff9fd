"""Quotas of AWS Step Functions and bounds of our own, each with its source."""

from typing import Final

# https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
PAYLOAD_BYTES_MAX: Final = 262_144
HISTORY_EVENTS_MAX: Final = 25_000
DEFINITION_BYTES_MAX: Final = 1_048_576
STATE_NAME_LENGTH_MAX: Final = 80
EXECUTION_NAME_LENGTH_MAX: Final = 80
TASK_TOKEN_LENGTH_MAX: Final = 2_048
EXPRESS_TIMEOUT_SECONDS: Final = 300
HISTORY_PAGE_EVENTS_MAX: Final = 1_000
TAGS_MAX: Final = 50
REQUEST_BYTES_MAX: Final = 2 * 1_048_576
INLINE_MAP_CONCURRENCY_MAX: Final = 40
WAIT_SECONDS_MAX: Final = 99_999_999
TASK_TIMEOUT_SECONDS_MAX: Final = 99_999_999
VARIABLE_NAME_LENGTH_MAX: Final = 80
VARIABLE_BYTES_MAX: Final = 262_144
ERROR_LENGTH_MAX: Final = 256
CAUSE_LENGTH_MAX: Final = 32_768

# https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html
INTRINSIC_NESTING_MAX: Final = 10
ARRAY_RANGE_ITEMS_MAX: Final = 1_000
INTRINSIC_HASH_INPUT_CHARACTERS_MAX: Final = 10_000
INTRINSIC_BASE64_CHARACTERS_MAX: Final = 10_000

# Ours: a definition and its expressions are bounded, so that no input can exhaust the engine.
DEFINITION_TEXT_BYTES_MAX: Final = 8 * 1_048_576
JSON_DEPTH_MAX: Final = 500
EXPRESSION_MILLISECONDS_MAX: Final = 2_000
EXPRESSION_DEPTH_MAX: Final = 1_000
EXPRESSION_ITEMS_MAX: Final = 1_000_000
TEMPLATE_DEPTH_MAX: Final = 200
FILTER_NESTING_MAX: Final = 32
PATTERN_INSTRUCTIONS_MAX: Final = 1_000
EXPRESSION_RESULT_BYTES_MAX: Final = 16 * 1_048_576
ADVANCE_HISTORY_EVENTS_MAX: Final = 500
ADVANCE_BYTES_MAX: Final = 8 * 1_048_576
