from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asl_engine.interpreter import payload_sizes
from asl_engine.interpreter.payload_sizes import PayloadSizes
from asl_engine.json_value import JsonValue, size_bytes

VALUES: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
LARGE = "x" * payload_sizes._LARGE_BYTES


@given(st.lists(st.dictionaries(st.text(), VALUES, max_size=4) | VALUES, min_size=1, max_size=6))
def test_a_size_is_that_of_the_json_text_whatever_was_measured_before(payloads: list[JsonValue]) -> None:
    sizes = PayloadSizes()
    for payload in payloads:
        for shown in (payload, {"large": LARGE, "again": payload}, {"again": payload}):
            assert sizes.size(shown) == size_bytes(shown)


def test_what_passes_through_unchanged_is_written_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Writing 200 KB in every state is a second in five hundred of them."""
    written: list[JsonValue] = []

    def size_bytes_seen(value: JsonValue) -> int:
        written.append(value)
        return size_bytes(value)

    monkeypatch.setattr(payload_sizes, "size_bytes", size_bytes_seen)
    rows: JsonValue = [LARGE]
    sizes = PayloadSizes()
    for number in range(10):
        sizes.size({"rows": rows, "n": number})
    assert sum(value is rows for value in written) == 1
