from __future__ import annotations

import asyncio
import json

import pytest

from asl_engine.api.service import Answer
from asl_engine.api.wire import answer
from asl_engine.errors import Conflict, QueueUnavailable, StoreUnavailable


@pytest.mark.parametrize(
    "error", [Conflict("lost 20 races"), StoreUnavailable("no table"), QueueUnavailable("no queue")]
)
def test_what_asking_again_may_mend_is_answered_so_that_sdks_ask_again(error: Exception) -> None:
    async def performing() -> Answer:
        raise error

    answered = asyncio.run(answer(performing()))

    assert answered.status == 503
    assert json.loads(answered.body) == {"__type": "ServiceUnavailable", "message": str(error)}
