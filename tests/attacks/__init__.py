"""Attempts to get in, each of which must fail: through the whole pipeline, with real processes."""
