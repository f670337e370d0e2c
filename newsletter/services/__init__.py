"""The verbs, in the order of the road: each gets, lets the core decide, and keeps.

`intake` receives and verifies briefs; `publishing` assembles, sets and approves an issue;
`dispatch` plans it, and claims, sends and records each batch; `feedback` hears what became of it;
`inquiry` answers people's questions.
"""
