"""The operations of the API, a module per family. Each is `async (service, checked request) -> answer`."""
