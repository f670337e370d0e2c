"""The only package that calls SendGrid."""
