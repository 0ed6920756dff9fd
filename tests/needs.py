"""What some tests drive and not every machine has, such as Terraform. The one place where a test may be left out."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def leave_out(reason: str) -> NoReturn:
    """This machine lacks something. With ASL_TESTS_NEED_ALL set, where all is known to be there, that is a failure."""
    if os.environ.get("ASL_TESTS_NEED_ALL"):
        pytest.fail(reason)
    pytest.skip(reason)
