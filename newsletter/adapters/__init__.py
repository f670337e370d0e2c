"""The outside world, one room per vendor."""
