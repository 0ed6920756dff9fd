"""The tasks file that `asl serve` is given for the workloads with tasks."""

from benchmarks.workloads import INCREMENT, increment

TASKS = {INCREMENT: increment}
