"""Public pages: issues, sign-up, and the pages behind the links in a letter."""
