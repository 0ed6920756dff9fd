"""HTTP in front of `api`, for local use."""
