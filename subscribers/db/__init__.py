"""The tables, the way into the database, and the statements that several features share."""
