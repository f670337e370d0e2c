"""What is right, decided without clock, network or database."""
