"""People who answer task tokens: signed links, decision pages, email and Slack."""
