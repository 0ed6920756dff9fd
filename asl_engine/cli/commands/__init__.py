"""One module per command of `asl`, imported when the command is used."""
