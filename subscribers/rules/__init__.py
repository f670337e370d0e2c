"""Pure rules about one subscription; where SQL applies them to all, each names the statement."""
