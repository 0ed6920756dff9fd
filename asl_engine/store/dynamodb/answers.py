"""What the end of a call means: it did not happen, nobody knows, its condition was not met, or it cannot work."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Final

from asl_engine.errors import StoreRefused, StoreUnavailable
from asl_engine.store.dynamodb.connection import UndecodableAnswer

_ATTEMPTS_MAX: Final = 10
_FIRST_PAUSE_SECONDS: Final = 0.05
_PAUSE_SECONDS_MAX: Final = 2.0
_THROTTLES: Final = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)
# Credentials are renewed, and clocks set.
_OUTDATED: Final = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "RequestTimeTooSkewed", "UnrecognizedClientException"}
)
# Reasons for which a transaction is cancelled that pass by themselves.
_PASSING_REASONS: Final = frozenset({"None", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
_NO_TABLE: Final = "ResourceNotFoundException"


class ConditionFailed(Exception):
    """The condition of the write is not met; nothing was written."""


class Throttled(Exception):
    """It did not happen: too much was asked at once."""


class Unanswered(Exception):
    """It may have happened."""


class NoSuchTable(StoreUnavailable):
    """The table does not exist."""


class NoSuchObject(Exception):
    """S3 has no object with this key."""


class Backoff:
    """Pauses between attempts, each drawn from twice the range of the one before ("full jitter")."""

    def __init__(self, store: str, pause: Callable[[float], Awaitable[None]], chance: Callable[[], float]) -> None:
        self._store, self._pause, self._chance = store, pause, chance
        self._attempts = 0

    async def wait(self, error: Exception) -> None:
        """Pause before the next attempt. Raises StoreUnavailable when there have been enough."""
        self._attempts += 1
        if self._attempts == _ATTEMPTS_MAX:
            happened = "the last one may have been carried out" if isinstance(error, Unanswered) else "nothing was done"
            raise StoreUnavailable(
                f"{self._store}: no answer in {_ATTEMPTS_MAX} attempts, {happened}: {error}. Try again later"
            ) from error
        longest = min(_PAUSE_SECONDS_MAX, _FIRST_PAUSE_SECONDS * 2**self._attempts)
        await self._pause(longest * self._chance())


def outcome_of(
    error: Exception, operation: str, table: str, tell_time: Callable[[Mapping[str, Any]], None]
) -> Exception | None:
    """What to raise for what the SDK raised; None for a defect."""
    from aiohttp import ClientError as ConnectionFailed  # aiobotocore lets these through while a body is read
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        ConnectionError,  # noqa: A004 - botocore's, which is no OSError
        HTTPClientError,
        ParamValidationError,
    )
    from botocore.parsers import ResponseParserError

    match error:
        case ClientError():
            tell_time(error.response)
            return _outcome_of_answer(error.response, operation, table)
        case ConnectionError() | HTTPClientError() | ConnectionFailed() | UndecodableAnswer() | ResponseParserError():
            return Unanswered(f"{operation}: {error}")
        case OSError() | UnicodeDecodeError():
            return Unanswered(f"{operation}: {error!r}")
        case ParamValidationError():
            return StoreRefused(f"dynamodb:{table}: {operation} failed: {error}")
        case BotoCoreError():
            return StoreUnavailable(f"dynamodb:{table}: {operation} failed: {error}")
    return None


def server_time(answer: Mapping[str, Any]) -> int | None:
    """AWS's time in epoch milliseconds when it answered, to the second."""
    date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    try:
        return None if date is None else int(parsedate_to_datetime(date).timestamp() * 1000)
    except ValueError:
        return None


def _outcome_of_answer(response: Mapping[str, Any], operation: str, table: str) -> Exception:
    code, message = response.get("Error", {}).get("Code", ""), response.get("Error", {}).get("Message", "")
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    said = f"{operation}: {code}: {message}"
    if code == "ConditionalCheckFailedException":
        return ConditionFailed(said)
    if code == "TransactionCanceledException":
        return _outcome_of_transaction(response, said, table)
    if code in _THROTTLES or status == 429:
        return Throttled(said)
    if status >= 500 or status < 300:
        return Unanswered(said)
    if code in _OUTDATED:
        return StoreUnavailable(f"dynamodb:{table}: AWS refused {said}")
    if code in {"NoSuchKey", "404"}:
        return NoSuchObject(said)
    if code == _NO_TABLE:
        return NoSuchTable(
            f"dynamodb:{table}: there is no such table in this account and region. Create it with the Terraform module "
            "or CDK stack in infra/, or check its name, AWS_REGION and AWS_ENDPOINT_URL_DYNAMODB"
        )
    return StoreRefused(f"dynamodb:{table}: AWS refused {said}")


def _outcome_of_transaction(response: Mapping[str, Any], said: str, table: str) -> Exception:
    reasons = {reason.get("Code", "None") for reason in response.get("CancellationReasons", ())}
    if "ConditionalCheckFailed" in reasons or (not reasons and "ConditionalCheckFailed" in said):
        return ConditionFailed(said)
    if reasons and reasons <= _PASSING_REASONS:
        return Throttled(said)
    return StoreRefused(f"dynamodb:{table}: AWS refused {said}")
