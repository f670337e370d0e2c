"""Bulk changes: of the addresses in a file, or of the members of a segment."""
