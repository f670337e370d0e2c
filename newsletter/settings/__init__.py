"""Settings: public ones from TOML files, secrets from the environment; frozen, complete, strict."""

from newsletter.settings.files import load_settings, shipped
from newsletter.settings.model import EnvironmentSettings, OidcSettings, ServiceSettings, Settings

__all__ = [
    "EnvironmentSettings",
    "OidcSettings",
    "ServiceSettings",
    "Settings",
    "load_settings",
    "shipped",
]
