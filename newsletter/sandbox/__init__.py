"""The stand-in: a local SendGrid on loopback, as strict as the documents and as unkind as asked.

It takes requests over real HTTP, refuses what SendGrid documents as wrong, keeps what it accepted,
shows the letters in an inbox, posts signed events and breaks down on demand. It is a tool kept
apart from the product: it imports nothing of the service, and nothing in the service imports it.
"""
