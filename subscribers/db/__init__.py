"""Where the lists are kept: PostgreSQL. Only the composition root opens this room."""
