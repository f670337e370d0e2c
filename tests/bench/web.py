"""The web application in a process of its own, without clock and worker."""

import sys

import uvicorn

from newsletter.container import Container
from newsletter.settings import load_settings

if __name__ == "__main__":
    app = Container(load_settings()).app
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
