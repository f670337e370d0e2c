"""The command line: operators' and marketers' verbs."""

from newsletter.cli.app import main

__all__ = ["main"]
