"""The style sheet, the script and htmx, from the package."""

from pathlib import Path

from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse

from newsletter.web.declared_routes import ANYONE

_FOLDER = Path(__file__).parent / "static"
#: By name: nothing else of the folder is served, and no name is used as a path.
_FILES = {
    "console.css": ("console.css", "text/css"),
    "console.js": ("console.js", "text/javascript"),
    "htmx-4.0.1.min.js": ("vendor/htmx-4.0.1.min.js", "text/javascript"),
}

router = APIRouter()


@router.get("/static/{name}", dependencies=[ANYONE])
def static(name: str) -> FileResponse:
    """Return one of the console's files."""
    if name not in _FILES:
        raise HTTPException(404)
    path, kind = _FILES[name]
    versioned = path.startswith("vendor/")  # the name of another version is another one
    kept = "public, max-age=31536000, immutable" if versioned else "private, max-age=300"
    return FileResponse(_FOLDER / path, media_type=kind, headers={"Cache-Control": kept})
