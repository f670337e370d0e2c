"""Domains of disposable addresses, from a package that is updated often."""


def is_disposable(domain: str) -> bool:
    """Return whether this domain, or one above it, is on the list."""
    from disposable_email_domains import blocklist  # noqa: PLC0415  # large, and rarely needed

    labels = domain.lower().split(".")
    return any(".".join(labels[start:]) in blocklist for start in range(len(labels) - 1))
