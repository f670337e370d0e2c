"""django-anymail's SendGrid batch send of a task read from standard input; prints seconds.

It runs in a virtual environment of its own, with nothing of ours to import.
"""

import json
import sys
import time

import django
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection


def main() -> None:
    task = json.load(sys.stdin)
    settings.configure(
        EMAIL_BACKEND="anymail.backends.sendgrid.EmailBackend",
        ANYMAIL={
            "SENDGRID_API_KEY": "SG.bench",
            "SENDGRID_API_URL": f"{task['url']}/v3/",
            "SENDGRID_MERGE_FIELD_FORMAT": "{}",
        },
    )
    django.setup()
    started = time.perf_counter()
    with get_connection() as connection:  # one session for all, as anymail advises
        for _ in range(task["messages"]):
            _message(task["letter"], task["readers"], connection).send()
    print(time.perf_counter() - started)


def _message(letter: dict, readers: dict, connection: object) -> EmailMultiAlternatives:
    message = EmailMultiAlternatives(
        subject=letter["subject"],
        body=letter["text"],
        from_email="Technology Daily <daily@news.example.com>",
        to=list(readers),
        connection=connection,
    )
    message.attach_alternative(letter["html"], "text/html")
    message.merge_data = {email: own["values"] for email, own in readers.items()}
    message.merge_headers = {email: own["headers"] for email, own in readers.items()}
    return message


if __name__ == "__main__":
    main()
