"""The npm package aws-local-stepfunctions, in process: in a node process of its own that keeps no history."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from benchmarks.engines import WrongAnswer, check_output
from benchmarks.peers import node_directory
from benchmarks.workloads import Workload


class NodeLibrary:
    """A child that takes a workload per line and times itself, so that the pipe between us costs it nothing."""

    name = "npm"
    fixed_seconds: float = 0

    def __init__(self) -> None:
        """Raises Unavailable."""
        script = Path(__file__).with_name("node_peer.mjs")
        self._child = subprocess.Popen(
            ["node", str(script)], cwd=node_directory(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def supports(self, workload: Workload) -> bool:
        """All of them, as far as can be known before."""
        return True

    def run(self, workload: Workload) -> float:
        """See Engine.run."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        request = {"definition": workload.definition, "input": workload.input, "executions": workload.executions}
        self._child.stdin.write(json.dumps(request) + "\n")
        self._child.stdin.flush()
        answer = json.loads(self._child.stdout.readline())
        if "error" in answer:
            raise WrongAnswer(answer["error"])
        for output in answer["outputs"]:
            check_output(workload, "SUCCEEDED", output)
        seconds: float = answer["seconds"]
        return seconds

    def close(self) -> None:
        """End the child."""
        self._child.terminate()
        self._child.wait()
