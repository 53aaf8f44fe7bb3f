"""Executes a reviewed plan: preflight, uploads, replacements, removals; journal and receipt."""
