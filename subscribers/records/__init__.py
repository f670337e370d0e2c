"""What is recorded about one person: search, notes, tags, merging, consent, erasure."""
