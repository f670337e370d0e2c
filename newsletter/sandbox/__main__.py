"""`python -m newsletter.sandbox`: the stand-in from the command line."""

import argparse
import sys
from pathlib import Path

from newsletter.sandbox.config import add_arguments, config_from
from newsletter.sandbox.server import run


def main() -> None:
    """Read the arguments and serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m newsletter.sandbox", description=__doc__)
    add_arguments(parser)
    parser.add_argument(
        "--ready-file", type=Path, metavar="FILE", help="is given the URL once it can be asked"
    )
    arguments = parser.parse_args()
    try:
        config = config_from(arguments)
    except ValueError as error:
        parser.error(str(error))
    run(config, arguments.ready_file)


if __name__ == "__main__":
    sys.exit(main())
