"""How a newsletter's list grows and who reads it."""
