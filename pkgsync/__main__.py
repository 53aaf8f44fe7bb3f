"""``python -m pkgsync`` is the command ``pkgsync``."""

from pkgsync.cli import main

if __name__ == "__main__":
    main()
