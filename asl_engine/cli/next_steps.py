"""The commands that a message tells its reader to type next, complete with the options that they need."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass

from asl_engine.cli.options import DEFAULT_STORE


@dataclass(frozen=True, slots=True)
class NextSteps:
    """Commands for a store. `resume_options` are those that performed the tasks so far."""

    store_spec: str
    resume_options: tuple[str, ...] = ()

    @property
    def is_durable(self) -> bool:
        """Whether another command can see what this one did."""
        return self.store_spec != "memory"

    def command(self, verb: str, *arguments: str) -> str:
        """`asl verb arguments`, on this store."""
        words = ["asl", verb, *arguments]
        if self.store_spec != os.environ.get("ASL_STORE", DEFAULT_STORE):
            words += ["--store", self.store_spec]
        return shlex.join(words)

    def resume(self, *names: str) -> str:
        """The command that goes on."""
        return self.command("resume", *names, *self.resume_options)
