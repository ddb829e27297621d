"""The entry point of `python -m sqlml` and of the command `sqlml`."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs the command line, which a scoring-only installation does not have."""
    try:
        from sqlml import cli
    except ModuleNotFoundError as error:
        print(f"error: The command line needs {error.name}: install sqlml with its extra `driver`.", file=sys.stderr)
        sys.exit(1)
    cli.main()


if __name__ == "__main__":
    main()
