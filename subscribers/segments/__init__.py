"""Saved filters over a newsletter's subscriptions."""
