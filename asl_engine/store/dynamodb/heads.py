"""Heads: an execution's line in the listings. What is in a head follows from the journal up to the record it names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from asl_engine.interpreter.execution import Execution, ExecutionStatus
from asl_engine.store.dynamodb.table import EXPIRY_ATTRIBUTE, HEAD, Item, index_keys, key
from asl_engine.store.journal import Record
from asl_engine.store.protocol import ExecutionSummary


@dataclass(frozen=True, slots=True)
class Head:
    """A summary as of the record `sequence`. `expires_at`, epoch seconds, once its records expire too."""

    summary: ExecutionSummary
    sequence: int
    expires_at: int | None = None

    def after(self, record: Record) -> Head:
        """The head after one more record: this one, if the record changes nothing of it."""
        changed = {name: record.execution_fields[name] for name in _CHANGING if name in record.execution_fields}
        if all(getattr(self.summary, name) == value for name, value in changed.items()):
            return self
        return Head(_summary(self.summary.arn, {**_fields(self.summary), **changed}), record.sequence)

    def item(self) -> Item:
        """The head as it is stored."""
        summary = self.summary
        item = key(summary.arn, HEAD) | index_keys(
            summary.arn, summary.state_machine_arn, summary.started_at, summary.status
        )
        item |= {"n": {"N": str(self.sequence)}}
        if self.expires_at is not None:
            item[EXPIRY_ATTRIBUTE] = {"N": str(self.expires_at)}
        return item | {name: _value(value) for name, value in _fields(summary).items() if value is not None}


_TEXTS = ("name", "state_machine_arn", "status", "state_machine_version_arn", "state_machine_alias_arn")
_TIMES = ("started_at", "stopped_at")
_CHANGING = ("status", "stopped_at")


def first_head(record: Record) -> Head:
    """The head after record 0, or after a keyframe."""
    return Head(_summary(record.execution_arn, record.execution_fields), record.sequence)


def head_of_execution(execution: Execution) -> Head:
    """The head that the execution should have by now."""
    return Head(_summary(execution.arn, _fields(execution)), execution.sequence)


def read_head(item: Item) -> Head:
    """The head in an item."""
    fields: dict[str, Any] = {name: item[name]["S"] for name in _TEXTS if name in item}
    fields |= {name: int(item[name]["N"]) for name in _TIMES if name in item}
    expires_at = int(item[EXPIRY_ATTRIBUTE]["N"]) if EXPIRY_ATTRIBUTE in item else None
    return Head(_summary(item["pk"]["S"], fields), int(item["n"]["N"]), expires_at)


def _fields(summary: ExecutionSummary | Execution) -> dict[str, Any]:
    return {name: getattr(summary, name) for name in (*_TEXTS, *_TIMES)}


def _summary(arn: str, fields: Mapping[str, Any]) -> ExecutionSummary:
    known: dict[str, Any] = {name: fields.get(name) for name in (*_TEXTS, *_TIMES)}
    return ExecutionSummary(arn=arn, **{**known, "status": ExecutionStatus(fields["status"])})


def _value(value: str | int) -> dict[str, str]:
    return {"N": str(value)} if isinstance(value, int) else {"S": str(value)}
