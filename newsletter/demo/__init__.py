"""One whole day on sample data: no account, no key, nothing leaves this machine."""
