from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asl_engine.api.pages import PageTokens, first_page
from asl_engine.errors import InvalidToken

TOKENS = PageTokens(b"key")


@given(st.text() | st.integers(), st.lists(st.text() | st.none() | st.booleans()))
def test_a_token_gives_back_its_cursor_to_its_own_listing(cursor: str | int, listing: list[object]) -> None:
    token = TOKENS.issue(listing, cursor)
    assert TOKENS.read(listing, token) == cursor
    with pytest.raises(InvalidToken):
        TOKENS.read([*listing, "other"], token)
    with pytest.raises(InvalidToken):
        PageTokens(b"other").read(listing, token)


@given(st.text())
def test_any_other_text_is_no_token(text: str) -> None:
    with pytest.raises(InvalidToken, match=r"^Invalid Token: 'Invalid token'$"):
        TOKENS.read(["List"], text)


def test_a_full_page_goes_on_only_if_there_is_more() -> None:
    assert first_page([1, 2, 3], 2) == ([1, 2], 2)
    assert first_page([1, 2], 2) == ([1, 2], None)
    assert first_page([], 2) == ([], None)
