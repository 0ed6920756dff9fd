"""Task resources that are real services: a module for each, turning a task call into a request and its answer back."""
