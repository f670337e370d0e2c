"""`python -m newsletter.sandbox CONFIG`: run a sandbox with the options in this JSON."""

import argparse
from pathlib import Path

from newsletter.sandbox.config import CONFIG_JSON
from newsletter.sandbox.server import run


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m newsletter.sandbox", description=__doc__)
    parser.add_argument("config", metavar="CONFIG", help='for example {"data": "var/sandbox"}')
    parser.add_argument(
        "--ready-file", type=Path, metavar="FILE", help="file that gets the URL once it listens"
    )
    arguments = parser.parse_args()
    try:
        config = CONFIG_JSON.validate_json(arguments.config)
    except ValueError as error:
        parser.error(str(error))
    run(config, arguments.ready_file)


if __name__ == "__main__":
    main()
