"""`python -m pipeline` is `stance`."""

import gc
import sys

from pipeline.cli.app import main as run


def main() -> None:
    """Run the command line and exit with its status."""
    # Importing makes many objects and no garbage: collecting seldom takes a third off a cold start.
    gc.set_threshold(100_000, 20, 20)
    sys.exit(run())


if __name__ == "__main__":
    main()
