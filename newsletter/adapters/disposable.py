"""Domains of services that throw their addresses away, from a list that its keepers renew often."""


def is_disposable(domain: str) -> bool:
    """Tell whether addresses at this domain, or at one above it, are thrown away."""
    # Imported here: ten thousand names, for the newsletters alone that ask for it.
    from disposable_email_domains import blocklist  # noqa: PLC0415

    labels = domain.lower().split(".")
    return any(".".join(labels[start:]) in blocklist for start in range(len(labels) - 1))
