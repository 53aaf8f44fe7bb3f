"""Executes a reviewed plan: preflight, transfer, journal, engine, receipt."""
