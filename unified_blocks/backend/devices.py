"""What people call devices, and what is meant: `"cpu"`, `"gpu:0"`, …"""

from __future__ import annotations

import re
from typing import Any

OTHERS = re.compile(r"(?:.*/)?(?:device:)?(cpu|gpu|cuda)(?:[:(](\d+)\)?)?", re.I)
"""`cuda:0`, `GPU:0`, `/device:GPU:0`, `gpu(0)`: the names of the frameworks, and their objects'."""


def device_meant(written: Any) -> str:
    """The name of a device as this library writes it, whichever framework's it was.

    What is no such name comes back as it is: the framework then says which there are.
    """
    found = OTHERS.fullmatch(str(written))
    if found is None:
        return str(written)
    kind, number = found[1].lower(), int(found[2] or 0)
    if kind == "cpu" and number == 0:
        return "cpu"
    return f"{kind.replace('cuda', 'gpu')}:{number}"
