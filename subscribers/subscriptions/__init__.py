"""Subscriptions, what their owners choose, and the suppression list."""
