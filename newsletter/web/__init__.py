"""The web application: each route parses a request, calls one service and answers."""
