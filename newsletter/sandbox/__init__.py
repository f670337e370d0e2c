"""A local SendGrid on loopback, as strict as the documents and as faulty as asked.

It takes requests over real HTTP, refuses what SendGrid documents as wrong, stores what it
accepted, shows the letters in an inbox, posts signed events and fails on demand. It imports
nothing of the service, and nothing in the service imports it.
"""
