"""The command line: parse, call the api, render, exit. Nothing else knows the terminal."""

from pkgsync.cli.main import main

__all__ = ["main"]
