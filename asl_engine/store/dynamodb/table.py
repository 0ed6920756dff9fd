"""The table: its definition, the keys of what is in it, and how items spread over the indexes.

    pk                     sk             what
    execution ARN          r + sequence   a record of the journal
    execution ARN          h              the head: the execution's line in the listings
    execution ARN          i + id         an event in the inbox; the answers to one attempt have one id
    definition#SHA-256     -              a definition
    resource#kind          key            a resource of the API, an approval, a job's link
    claim#ARN, owner#id    -              who runs an execution, and until when that process is surely alive

Attributes have one letter because every kilobyte of an item is paid for at each write:

    b body   s SHA-256 of a body in S3   w id of the write   k sequence of the newest keyframe   e last history event id
    n sequence that a head was made of   v revision          o owner of a claim                  x when an owner expires
    l sequence of the last record of an execution that has ended, in each of its records that expire

Both indexes hold keys only: a head's other fields change without writing to an index, and a listing reads the heads.
by_state_machine has every head; by_status has those that have not succeeded, as most do, and the inbox.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final, TypeAlias

from asl_engine.interpreter.execution import ExecutionStatus

# An item as DynamoDB's protocol spells it: {"pk": {"S": "…"}, "k": {"N": "7"}}.
Item: TypeAlias = dict[str, Any]

BY_STATE_MACHINE: Final = "by_state_machine"
BY_STATUS: Final = "by_status"
INDEX_KEYS: Final = {BY_STATE_MACHINE: ("gsi1pk", "gsi1sk"), BY_STATUS: ("gsi2pk", "gsi2sk")}
EXPIRY_ATTRIBUTE: Final = "expires_at"
LAST_ATTRIBUTE: Final = "l"
# One key takes about 1,000 writes a second, and each execution writes twice to its status RUNNING: 8 shards bear 4,000
# starts a second. The number is for ever: it decides where the heads that exist are found.
SHARDS: Final = 8
INBOX: Final = "INBOX"
HEAD: Final = "h"
FIRST_RECORD: Final = "r000000000"
LAST_RECORD: Final = "r999999999"


def table_definition(name: str) -> dict[str, Any]:
    """The parameters of CreateTable."""
    keys = ["pk", "sk", *(key for pair in INDEX_KEYS.values() for key in pair)]
    return {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"} for key in keys],
        "KeySchema": _key_schema("pk", "sk"),
        "GlobalSecondaryIndexes": [
            {"IndexName": index, "KeySchema": _key_schema(*pair), "Projection": {"ProjectionType": "KEYS_ONLY"}}
            for index, pair in INDEX_KEYS.items()
        ],
    }


def time_to_live(name: str) -> dict[str, Any]:
    """The parameters of UpdateTimeToLive."""
    specification = {"AttributeName": EXPIRY_ATTRIBUTE, "Enabled": True}
    return {"TableName": name, "TimeToLiveSpecification": specification}


def continuous_backups(name: str) -> dict[str, Any]:
    """The parameters of UpdateContinuousBackups: recovery to any second of the last 35 days."""
    return {"TableName": name, "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True}}


def _key_schema(partition: str, sort: str) -> list[dict[str, str]]:
    return [{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]


def key(pk: str, sk: str) -> Item:
    """The key of an item."""
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def key_of(item: Item) -> Item:
    """The key of this item."""
    return {"pk": item["pk"], "sk": item["sk"]}


def record_sk(sequence: int) -> str:
    """Where a record is among its execution's items."""
    return f"r{sequence:09d}"


def shard_of(execution_arn: str) -> int:
    """The shard of the indexes that an execution is in."""
    return int(_digest(execution_arn), 16) % SHARDS


def position_of(execution_arn: str, started_at: int) -> str:
    """Where an execution is among all of its index key: by start, and by its ARN among those of one millisecond."""
    return f"{started_at:013d}{_digest(execution_arn)}"


def index_keys(execution_arn: str, state_machine_arn: str, started_at: int, status: ExecutionStatus) -> Item:
    """The index keys of a head."""
    shard, position = shard_of(execution_arn), position_of(execution_arn, started_at)
    keys = {"gsi1pk": {"S": f"{state_machine_arn}#{shard}"}, "gsi1sk": {"S": position}}
    if status is ExecutionStatus.SUCCEEDED:
        return keys
    return keys | {"gsi2pk": {"S": f"{status}#{shard}"}, "gsi2sk": {"S": f"{state_machine_arn}#{position}"}}


def _digest(execution_arn: str) -> str:
    return hashlib.sha256(execution_arn.encode("utf-8", "surrogatepass")).hexdigest()[:12]
