"""The process that measures one part in one framework; `benchmarks.parts` starts it."""

import json
import sys
from pathlib import Path

from benchmarks.cells import Effort
from benchmarks.machine import this_process
from benchmarks.parts import measure

if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    effort = Effort(asked["pairs"], asked["quick"])
    cells = measure(asked["part"], asked["framework"], effort)
    found = {"cells": [cell.as_json() for cell in cells], "process": this_process()}
    Path(asked["path"]).write_text(json.dumps(found))
