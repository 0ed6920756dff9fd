"""The host that lives from message to message: executions driven by a queue, by whichever process gets the message."""
