"""Asking inactive readers whether they still want a newsletter, then pausing them."""
