"""The one room that speaks SendGrid."""
