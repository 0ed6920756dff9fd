"""The command `asl`: reads arguments, wires the engine together, and tells people and machines what happened."""
