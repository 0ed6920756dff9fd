"""Journals of executions: an append is whole or absent, and the first writer of a sequence number wins."""
