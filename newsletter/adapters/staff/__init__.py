"""What staff sign in with: each vendor at one place."""
