"""The web: parse, call one service, answer."""
