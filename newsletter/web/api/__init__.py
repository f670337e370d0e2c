"""The JSON API: each route asks one service and answers JSON. See docs/how-to/api.md."""
