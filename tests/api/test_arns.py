from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asl_engine.api.arns import (
    check_activity_arn,
    check_execution_arn,
    check_role_arn,
    read_state_machine_arn,
)
from asl_engine.errors import InvalidArn
from tests.api.services import MACHINE

EXECUTION = MACHINE.replace(":stateMachine:", ":execution:")


def test_a_machines_arn_is_taken_apart() -> None:
    plain, version, alias = (read_state_machine_arn(MACHINE + suffix) for suffix in ("", ":12", ":live"))

    assert (plain.unqualified, plain.qualifier, plain.version, plain.name) == (MACHINE, None, None, "orders")
    assert (version.unqualified, version.version) == (MACHINE, 12)
    assert (alias.unqualified, alias.qualifier, alias.version) == (MACHINE, "live", None)


def test_a_digit_that_is_no_number_names_no_version() -> None:
    assert read_state_machine_arn(f"{MACHINE}:\u00b2").version is None


@pytest.mark.parametrize("arn", [f"{MACHINE}:a:b:c", f"{MACHINE}:", f"{MACHINE}\ud800", f"{MACHINE} x", EXECUTION])
def test_what_names_no_state_machine_is_refused(arn: str) -> None:
    with pytest.raises(InvalidArn, match=r"^Invalid Arn: '"):
        read_state_machine_arn(arn)


def test_nothing_can_be_asked_of_an_express_execution() -> None:
    check_execution_arn(f"{EXECUTION}:run")
    with pytest.raises(InvalidArn, match=r"^Invalid Arn: 'Resource type not valid in this context: express'$"):
        check_execution_arn(f"{MACHINE.replace(':stateMachine:', ':express:')}:run:id")


@pytest.mark.parametrize("arn", ["", "role", "arn:aws:iam::1:user/x", "arn:aws:s3:::role/x"])
def test_only_a_role_is_a_role(arn: str) -> None:
    check_role_arn("arn:aws:iam::123456789012:role/path/name")
    with pytest.raises(InvalidArn, match="Invalid Role Arn"):
        check_role_arn(arn)


@given(
    st.text() | st.lists(st.sampled_from(["arn", "aws", "states", "", "stateMachine", "activity", "x"])).map(":".join)
)
def test_any_text_is_an_arn_or_is_refused(text: str) -> None:
    for read in (read_state_machine_arn, check_execution_arn, check_activity_arn, check_role_arn):
        try:
            read(text)
        except InvalidArn as error:
            assert text in str(error) or "not valid in this context" in str(error)  # noqa: PT017 - or none is raised
