"""Sign-ups and address changes, which wait for a confirmation."""
