"""Addresses of a role rather than of a person: whoever reads them has rarely asked for a letter."""

_NAMES = """
    abuse admin administrator billing bounce bounces complaints compliance contact daemon
    devnull dns enquiries feedback ftp help hello helpdesk hostmaster info inquiries it jobs
    legal list mailer-daemon mailerdaemon marketing media news newsletter no-reply noc noreply
    office orders postmaster press privacy purchasing registrar root sales security service spam
    subscribe support sysadmin team undisclosed-recipients unsubscribe usenet uucp webmaster www
    kontakt buero büro verwaltung vertrieb rechnung buchhaltung presse datenschutz contacto
    ventas soporte contatto vendite contato vendas commercial comptabilite ne-pas-repondre
"""
ROLES = frozenset(_NAMES.split())


def is_role(local: str) -> bool:
    """Return whether the local part of an address names a role."""
    return local.lower() in ROLES
