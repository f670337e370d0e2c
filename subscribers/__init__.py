"""Who may be written to, and about what; this package does not import `newsletter`."""
