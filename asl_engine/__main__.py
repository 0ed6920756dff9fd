"""`python -m asl_engine` is `asl`."""

from asl_engine.cli.main import main

main(prog_name="asl")
