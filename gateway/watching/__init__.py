"""Watches: events from storage, encoded once, delivered to every client that follows the same thing."""
