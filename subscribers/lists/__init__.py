"""Lists of subscribers: import, undo, export."""
