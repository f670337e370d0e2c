"""The shipped settings, changed as a test needs them."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from newsletter.core.publication import Newsletter, weekly_digest
from newsletter.settings import Settings, load_settings, shipped
from tests.signing import Seal

BASE_URL = "https://news.example.com"
SEAL = Seal()  #: signs the events that the settings' webhook key verifies
SHIPPED = load_settings(shipped("config"))
TECHNOLOGY: Newsletter = SHIPPED.newsletter("technology")

#: After so many recipients that no test opens it unless it means to.
_CIRCUIT_BREAKER = {
    "after": 100,
    "requests": 2,
    "refused": 0.5,
    "unknown": 0.5,
    "bounced": 0.5,
    "complained": 0.5,
}


def with_digest(newsletter: Newsletter) -> tuple[Newsletter, ...]:
    """Return the newsletter, and the digest of its week if it has one."""
    return (newsletter, *digests(newsletter))


def digests(newsletter: Newsletter) -> list[Newsletter]:
    """Return the digest of the newsletter's week, if it has one."""
    return [weekly_digest(newsletter, newsletter.weekly)] if newsletter.weekly else []


def settings_for(
    newsletters: Iterable[Newsletter] = with_digest(TECHNOLOGY),
    *,
    circuit_breaker: dict[str, float] = _CIRCUIT_BREAKER,
    rate_limit: dict[str, Any] | None = None,
    environment: dict[str, Any] | None = None,
    **sending: Any,
) -> Settings:
    """Return settings of these newsletters; `sending` changes keys of that part."""
    shipped_service = SHIPPED.service
    service = type(shipped_service).model_validate(
        shipped_service.model_dump()
        | {
            "sending": shipped_service.sending.model_dump()
            | {"batch_size": 3, "grace_minutes": 0}
            | sending,
            "circuit_breaker": circuit_breaker,
            "rate_limit": {"per_minute": 0, "per_day": 0, "warm_up": {}} | (rate_limit or {}),
        }
    )
    update = {
        "public_url": BASE_URL,
        "sendgrid_host": "http://127.0.0.1:9",
        "sendgrid_webhook_key": SEAL.public_key,
    } | (environment or {})
    return replace(
        SHIPPED,
        environment=SHIPPED.environment.model_copy(update=update),
        service=service,
        newsletters={one.slug: one for one in newsletters},
    )
