"""The tables, and the stores that read and write them: each public method is one transaction.

A store logs what it has just committed: an action and ids, never an address or a letter's text.
"""

import logging

# A command that answers a person sets up no log: warnings must not go to its stderr.
logging.getLogger(__name__).addHandler(logging.NullHandler())
