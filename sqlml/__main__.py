"""`python -m sqlml` is the command `sqlml`."""

from __future__ import annotations

from sqlml.cli import main

if __name__ == "__main__":
    main()
