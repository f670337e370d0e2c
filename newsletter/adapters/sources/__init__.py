"""Sources of briefs: files in several formats, and polled sites and feeds."""
