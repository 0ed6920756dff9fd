"""Links that were not made by us, or were changed on the way: of a million none is accepted."""

from __future__ import annotations

import json
import random
import string

import pytest

from asl_engine.approvals.links import Link, Links
from asl_engine.approvals.signing import RotatedKeys, SigningKeys
from asl_engine.errors import ApprovalError, InvalidLink

FORGERIES = 1_000_000
ALPHABET = string.ascii_letters + string.digits + "-_"
LINK = Link(approval_id="a" * 22, round=1, recipient_id="r" * 10, choice="approve", expires_at=1_800_000_000)
OURS = SigningKeys.parse("k2:" + "22" * 32 + ", k1:" + "11" * 32)
THEIRS = SigningKeys.parse("k2:" + "23" * 32 + ",k1:" + "12" * 32)


def bit_flipped(token: str, chance: random.Random) -> str:
    """One bit of one character."""
    place = chance.randrange(len(token))
    return token[:place] + chr(ord(token[place]) ^ 1 << chance.randrange(7)) + token[place + 1 :]


def character_changed(token: str, chance: random.Random) -> str:
    place = chance.randrange(len(token))
    other = chance.choice(ALPHABET.replace(token[place], ""))
    return token[:place] + other + token[place + 1 :]


def cut_or_extended(token: str, chance: random.Random) -> str:
    cut = token[: -chance.randrange(1, len(token))] if chance.random() < 0.5 else token
    return cut + "".join(chance.choices(ALPHABET + ".", k=chance.randrange(1, 4)))


def signature_guessed(token: str, chance: random.Random) -> str:
    return token.rpartition(".")[0] + "." + "".join(chance.choices(ALPHABET, k=43))


def signature_of_another(token: str, chance: random.Random) -> str:
    """The claims of one link under the signature of another."""
    other = Link(approval_id="b" * 22, round=1, recipient_id="r", choice="", expires_at=chance.randrange(2**40))
    return token.rpartition(".")[0] + "." + Links(OURS).token(other).rpartition(".")[2]


def signed_by_others(_token: str, chance: random.Random) -> str:
    other = Link(approval_id="c" * 22, round=1, recipient_id="r", choice="", expires_at=chance.randrange(2**40))
    return Links(THEIRS).token(other)


FORGERS = [bit_flipped, character_changed, cut_or_extended, signature_guessed, signature_of_another, signed_by_others]


def test_no_forged_or_altered_link_is_accepted() -> None:
    chance = random.Random(11)
    links = Links(OURS)
    genuine = links.token(LINK)
    accepted = 0
    for number in range(FORGERIES):
        forged = FORGERS[number % len(FORGERS)](genuine, chance)
        try:
            links.read(forged)
        except InvalidLink:
            continue
        accepted += forged != genuine  # cut off and put back by chance
    assert accepted == 0
    assert links.read(genuine) == LINK


def test_every_single_bit_counts() -> None:
    links = Links(OURS)
    genuine = links.token(LINK)
    for place, character in enumerate(genuine):
        for bit in range(7):
            flipped = genuine[:place] + chr(ord(character) ^ 1 << bit) + genuine[place + 1 :]
            with pytest.raises(InvalidLink):
                links.read(flipped)


@pytest.mark.parametrize(
    "text", ["", ".", "..", "k1", "k1.x", "k2..", "k1.é.x", "\ud800", "k2." + "x" * 5_000, "k9.x.y"]
)
def test_what_is_no_link_at_all_is_refused(text: str) -> None:
    with pytest.raises(InvalidLink):
        Links(OURS).read(text)


def test_a_nonce_is_no_link_and_a_link_is_no_nonce() -> None:
    links = Links(OURS)
    token = links.token(LINK)
    nonce = links.nonce(token)
    assert links.is_nonce_of(token, nonce)
    assert not links.is_nonce_of(token, token)
    assert not links.is_nonce_of(nonce, nonce)
    with pytest.raises(InvalidLink):
        links.read(nonce)


def test_a_key_that_no_longer_signs_still_verifies_until_it_is_taken_away() -> None:
    old = SigningKeys.parse("k1:" + "11" * 32)
    token = Links(old).token(LINK)

    assert Links(OURS).read(token) == LINK
    assert Links(OURS).token(LINK).startswith("k2.")
    with pytest.raises(InvalidLink):
        Links(SigningKeys.parse("k2:" + "22" * 32)).read(token)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "ID:HEX,ID:HEX"),
        ("k1", "ID:HEX,ID:HEX"),
        ("k1:xyz", "ID:HEX,ID:HEX"),
        ("{", "ID:HEX,ID:HEX"),
        ('{"k1": 7}', "ID:HEX,ID:HEX"),
        ("{}", "ID:HEX,ID:HEX"),
        ("k1:" + "11" * 15, "has 15 bytes; it needs 16 or more"),
        ("k 1:" + "11" * 32, "1 to 16 letters"),
        ("k1:" + "11" * 32 + ",k1:" + "22" * 32, "an id of its own"),
    ],
)
def test_keys_that_cannot_be_used_are_refused_without_being_shown(text: str, expected: str) -> None:
    with pytest.raises(ApprovalError, match=expected) as refused:
        SigningKeys.parse(text)
    assert "1111" not in str(refused.value)
    assert "xyz" not in str(refused.value)


def test_keys_may_be_written_as_secrets_manager_makes_them() -> None:
    written = json.dumps({"k2": "22" * 32, "k1": "11" * 32})
    assert Links(SigningKeys.parse(written)).token(LINK) == Links(OURS).token(LINK)


class Secret:
    """Where the keys are kept, and how often they were read."""

    def __init__(self, text: str) -> None:
        self.text, self.reads, self.time = text, 0, 0

    def read(self) -> SigningKeys:
        self.reads += 1
        return SigningKeys.parse(self.text)

    def now(self) -> int:
        return self.time


def test_a_key_that_came_since_the_start_is_read_at_most_once_a_minute() -> None:
    old, new = "k1:" + "11" * 32, "k2:" + "22" * 32
    secret = Secret(old)
    links = Links(RotatedKeys(secret.read, secret.now))
    secret.text = f"{new},{old}"
    assert links.read(Links(SigningKeys.parse(new)).token(LINK)) == LINK
    assert secret.reads == 2
    assert links.token(LINK).startswith("k2.")

    for seconds, reads in [(1, 2), (59, 2), (60, 3), (61, 3)]:
        secret.time = seconds * 1000
        with pytest.raises(InvalidLink):
            links.read("k9.x.y")
        assert secret.reads == reads


def test_keys_that_cannot_be_read_again_leave_those_from_before(caplog: pytest.LogCaptureFixture) -> None:
    secret = Secret("k1:" + "11" * 32)
    links = Links(RotatedKeys(secret.read, secret.now))
    token, secret.text = links.token(LINK), "k1:secret"
    with pytest.raises(InvalidLink):
        links.read("k9.x.y")
    assert links.read(token) == LINK
    assert "could not be read again" in caplog.text
    assert "k1:secret" not in caplog.text


def test_keys_are_never_shown() -> None:
    assert "22" * 8 not in repr(OURS) + str(vars(OURS))
