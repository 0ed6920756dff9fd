"""How TestState runs one state by itself and tells what became of its data on the way."""
