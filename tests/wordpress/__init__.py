"""A real WordPress, from Debian's packages, on loopback: what its REST API and feed really say."""
