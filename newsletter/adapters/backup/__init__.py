"""Backup and restore of the database, by PostgreSQL's own programs, whichever server it is on."""

from newsletter.adapters.backup.dump import Backup, check, dump
from newsletter.adapters.backup.load import Contents, load

__all__ = ["Backup", "Contents", "check", "dump", "load"]
