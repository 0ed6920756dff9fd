"""An example: the engine, and every definition below state_machines/."""

from __future__ import annotations

import os
from pathlib import Path

from asl_engine_cdk import AslEngine, AslStateMachine, Settings
from aws_cdk import App, Stack

app = App()
stack = Stack(app, "AslEngine")
engine = AslEngine(
    stack,
    "Engine",
    Settings(
        packages_directory=os.environ.get("ASL_PACKAGES", "build/packages"), mail_from=os.environ.get("ASL_MAIL_FROM")
    ),
)
for file in sorted(Path("state_machines").glob("*/definition.asl.json")):
    AslStateMachine(stack, file.parent.name, engine=engine, definition_file=file)
app.synth()
