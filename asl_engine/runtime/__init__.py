"""Load, advance, append, then dispatch the commands: one runner, driven by its host's clock, store and tasks."""
