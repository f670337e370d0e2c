"""Rows to core and back, behind the ports; each public method is one transaction."""
