"""Setting an issue in type, once: Jinja, MJML, inlined CSS, galley. Text in, text out."""
