"""The language: a definition's text becomes a StateMachine, or all of its diagnostics. Pure."""
