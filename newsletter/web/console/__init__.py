"""The console: what staff see and do in the browser, on an origin of its own.

`app` puts it together, `access` says who may do what, `pages` and `words` make the HTML. Each
other module holds the routes of one page. See docs/decisions/the-console-has-its-own-origin.md.
"""
