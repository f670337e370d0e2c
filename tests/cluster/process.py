"""`newsletter LINE`, which looks for what a dead worker left as often as workers die here."""

import sys

from newsletter.cli import main
from tests.torture.processes import hurry

if __name__ == "__main__":
    hurry()
    sys.argv[0] = "newsletter"
    main()
