"""The engine and its state machines as CDK constructs."""

from asl_engine_cdk.engine import AslEngine
from asl_engine_cdk.settings import Settings
from asl_engine_cdk.state_machine import AslStateMachine

__all__ = ["AslEngine", "AslStateMachine", "Settings"]
