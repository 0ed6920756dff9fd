"""The interpreter: what happened comes in, what to do goes out. Pure: time and a seed come in with the events."""
