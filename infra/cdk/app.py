"""An example: the engine, and every definition below state_machines/."""

from __future__ import annotations

import os

from asl_engine_cdk import AslEngine, AslStateMachine, Settings
from aws_cdk import App, Stack

app = App()
stack = Stack(app, "AslEngine")
engine = AslEngine(stack, "Engine", Settings(packages_directory=os.environ.get("ASL_PACKAGES", "build/packages")))
AslStateMachine(stack, "MlTraining", engine=engine, definition_file="state_machines/ml-training/definition.asl.json")
app.synth()
