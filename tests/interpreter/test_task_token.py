"""Task tokens name one attempt, and nobody without the execution's seed can make one."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asl_engine.errors import InvalidToken
from asl_engine.interpreter.task_token import TokenClaims, issue, read, verify
from asl_engine.limits import TASK_TOKEN_LENGTH_MAX

CLAIMS = TokenClaims("arn:aws:states:us-east-1:123456789012:execution:orders:first", "0/12.3", 47)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
TOKEN = issue("seed", CLAIMS)


def is_valid(token: str, seed: str = "seed") -> bool:
    try:
        read(token)
        verify(seed, token)
    except InvalidToken:
        return False
    return True


def test_a_token_says_what_it_was_issued_for() -> None:
    assert read(TOKEN) == CLAIMS
    verify("seed", TOKEN)


def test_a_token_can_be_put_into_a_link_and_is_as_short_as_aws_asks() -> None:
    deep = TokenClaims("a" * 256, "0" + "/25000.39" * 20, 25_000)

    assert set(TOKEN) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=")
    assert len(issue("seed", deep)) <= TASK_TOKEN_LENGTH_MAX


@given(st.text(min_size=1))
def test_no_token_looks_like_an_option_to_a_command_that_takes_one(seed: str) -> None:
    assert issue(seed.encode("utf-8", "replace").decode(), CLAIMS)[0] != "-"


def test_another_seed_makes_another_token() -> None:
    assert issue("other", CLAIMS) != TOKEN
    assert not is_valid(TOKEN, seed="other")
    assert not is_valid(TOKEN, seed="")


def test_a_token_with_any_bit_of_any_character_flipped_is_refused() -> None:
    for position, character in enumerate(TOKEN):
        for bit in range(7):
            changed = chr(ord(character) ^ 1 << bit)

            assert not is_valid(TOKEN[:position] + changed + TOKEN[position + 1 :])


def test_a_truncated_token_is_refused() -> None:
    assert not any(is_valid(TOKEN[:length]) for length in range(len(TOKEN)))


@pytest.mark.parametrize("claims", [("x", "0", 1), (CLAIMS[0], "0/12.4", 47), (CLAIMS[0], "0/12.3", 48)])
def test_claims_of_one_token_do_not_pass_with_the_signature_of_another(claims: tuple[str, str, int]) -> None:
    signature = base64.urlsafe_b64decode(TOKEN)[:18]
    payload = base64.urlsafe_b64decode(issue("guessed", TokenClaims(*claims)))[18:]

    assert not is_valid(base64.urlsafe_b64encode(signature + payload).decode())


@pytest.mark.parametrize(
    "payload",
    [
        *(b"", b"5", b"null", b"[]", b"\xff\xfe", b"[" * 100_000),
        *(b'["a","b"]', b'["a","b",1,2]', b'["a","b","c"]', b'["a","b",true]', b'[1,"b",1]', b'{"a":1,"b":2,"c":3}'),
    ],
    ids=lambda payload: repr(payload[:20]),
)
def test_what_holds_no_claims_is_refused(payload: bytes) -> None:
    with pytest.raises(InvalidToken, match="Invalid token"):
        read(base64.urlsafe_b64encode(b"s" * 18 + payload).decode())


@given(st.text())
def test_any_text_is_a_token_or_is_refused_politely(text: str) -> None:
    assert not is_valid(text)


@given(TEXT, st.text(), st.integers(), TEXT)
def test_what_is_issued_is_read_back(arn: str, frame_id: str, wait_id: int, seed: str) -> None:
    claims = TokenClaims(arn, frame_id, wait_id)
    token = issue(seed, claims)

    assert read(token) == claims
    verify(seed, token)
