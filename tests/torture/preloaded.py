"""Imports what the service's processes use: a process forked from here starts at once."""

from importlib import import_module
from pkgutil import iter_modules

import newsletter.adapters.jobs  # and its engine
import newsletter.demo.environment  # and uvicorn with it
import newsletter.rendering.renderer
import newsletter.scheduler
import newsletter.web.app
import newsletter.web.console.app  # noqa: F401
from newsletter import cli, services, stores

for package in (cli, services, stores):
    for module in iter_modules(package.__path__):
        import_module(f"{package.__name__}.{module.name}")
