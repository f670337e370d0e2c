"""The outside world, one package or module per vendor."""
