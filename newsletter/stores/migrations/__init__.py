"""Alembic migrations of both houses."""
