"""What the functions know of the world is made once, and before the first invocation."""

from __future__ import annotations

import asyncio

from asl_engine.aws.ports import open_ports

ENVIRONMENT = {
    "AWS_REGION": "eu-west-1",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "ASL_ACCOUNT_ID": "123456789012",
    "ASL_TABLE": "executions",
    "ASL_QUEUE_URL": "http://127.0.0.1:9/123456789012/events",
    "ASL_QUEUE_ARN": "arn:aws:sqs:eu-west-1:123456789012:events",
    "ASL_SCHEDULER_GROUP": "timers",
    "ASL_SCHEDULER_ROLE_ARN": "arn:aws:iam::123456789012:role/scheduler",
}


def test_the_store_and_the_queue_share_a_session_of_the_sdk() -> None:
    async def story() -> None:
        ports = open_ports(ENVIRONMENT)
        try:
            await ports.open()
            sessions = (ports.clients._sessions, ports.store.client.connection._sessions)
            assert sessions[0] == sessions[1]
            assert list(sessions[0]) == [True]
        finally:
            await ports.close()

    asyncio.run(story())
