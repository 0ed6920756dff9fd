"""The second form of the simulation: the real queued host on simulated ports, in a simulated event loop."""
