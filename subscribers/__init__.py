"""Who may be written to, and about what. This house has never heard of newsletters' insides."""
