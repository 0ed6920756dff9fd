"""Journals and resources in one DynamoDB table, for the engine on AWS and for emulators."""
