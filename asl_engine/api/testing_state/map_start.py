"""What a Map evaluates before its first iteration, for a Map whose iterations are mocked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from asl_engine.api.testing_state.inspection import Inspection
from asl_engine.api.testing_state.item_batcher import batches
from asl_engine.api.testing_state.item_data import ItemData
from asl_engine.expressions.scope import Expression, Scope
from asl_engine.interpreter.states import map_
from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.language.definition import MapState, QueryLanguage


@dataclass(slots=True)
class MapStart:
    """An expression that evaluates all that a Map does before it iterates, and writes it down.

    `item_data` is what an ItemReader is said to have read. `tolerates` answers for the last evaluation.
    """

    state: MapState
    inspection: Inspection
    item_data: ItemData | None = None
    items: list[JsonValue] | None = None
    tolerated_failure_count: int | None = None
    tolerated_failure_percentage: float | None = None

    def evaluate(self, scope: Scope) -> JsonValue:
        """The input that the iterations share. Raises EvaluationError."""
        state, payloads, facts = self.state, self.inspection.payloads, self.inspection.facts
        self.items = self._items(scope)
        if state.query_language is QueryLanguage.JSONPATH and state.item_reader is None:
            payloads["afterItemsPath"] = self.items
        given = self.items
        if state.item_selector is not None and given is not None:
            given = payloads["afterItemSelector"] = _selected(state.item_selector, scope, given)
        if state.item_batcher is not None and given is not None:
            payloads["afterItemBatcher"] = batches(state.item_batcher, state.query_language, given, scope)
        facts["maxConcurrency"] = map_.max_concurrency(state, scope)
        self.tolerated_failure_count = map_.tolerated_failure_count(state, scope)
        self.tolerated_failure_percentage = map_.tolerated_failure_percentage(state, scope)
        if self.tolerated_failure_count is not None:
            facts["toleratedFailureCount"] = self.tolerated_failure_count
        if self.tolerated_failure_percentage is not None:
            facts["toleratedFailurePercentage"] = float(self.tolerated_failure_percentage)
        return scope.input

    def tolerates(self, failures: int, iterations: int) -> bool:
        """Whether the Map goes on after so many of its iterations failed. A mocked Map without thresholds does."""
        if self.tolerated_failure_count is not None and failures > self.tolerated_failure_count:
            return False
        percentage = self.tolerated_failure_percentage
        return percentage is None or failures * 100 <= percentage * iterations

    def _items(self, scope: Scope) -> list[JsonValue] | None:
        if self.state.item_reader is None:
            return map_.items_of(self.state, scope)
        if self.item_data is None:
            return None
        if self.item_data.has_pointer:
            self.inspection.payloads["afterItemsPointer"] = self.item_data.items
        return self.item_data.items


def _selected(selector: Expression, scope: Scope, items: list[JsonValue]) -> list[JsonValue]:
    """The input of each iteration."""
    context = scope.context()
    return [
        selector.evaluate(
            Scope(
                scope.input,
                variables=scope.variables,
                context=_context_of_item(context, index, item),
                entropy=scope.entropy,
                now=scope.now,
            )
        )
        for index, item in enumerate(items)
    ]


def _context_of_item(context: JsonObject, index: int, item: JsonValue) -> Callable[[], JsonObject]:
    return lambda: {**context, "Map": {"Item": {"Index": index, "Value": item}}}
