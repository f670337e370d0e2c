"""Small helps for plain SQL."""

import json
from typing import Any


def as_json(value: Any) -> str:
    """Return JSON text for a `CAST(:x AS jsonb)`."""
    return json.dumps(value, ensure_ascii=False)
