"""Packagecloud: its routes, the parsers of its answers, and the gathering of the actual state."""
