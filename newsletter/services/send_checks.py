"""Refuses to send a newsletter that cannot or must not be sent from here."""

from newsletter.core.publication import Newsletter
from newsletter.core.send_checks import obstacles
from newsletter.errors import NotAllowed
from newsletter.ports import Mailer


class SendChecks:
    """Collects the obstacles in a newsletter's file, in the settings, and at SendGrid."""

    def __init__(self, *, mailer: Mailer, public_url: str, sendgrid_host: str) -> None:
        self._mailer, self._public_url, self._sendgrid_host = mailer, public_url, sendgrid_host

    def refuse_obstacles(self, newsletter: Newsletter) -> None:
        """Raise NotAllowed with every obstacle; SendGrid is only asked when there is no other."""
        found = list(
            obstacles(newsletter, public_url=self._public_url, sendgrid_host=self._sendgrid_host)
        )
        if not found and (obstacle := self._mailer.obstacle()):
            found.append(obstacle)
        if found:
            raise NotAllowed(f"{newsletter.slug} cannot be sent: {' '.join(found)}")
