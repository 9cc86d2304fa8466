"""Reports to test, and what is in a page, read as HTML."""

import html
import re
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np

from testbed.hand_records import record_of
from unified_blocks.equivalence.comparison import Comparison, FirstDifference
from unified_blocks.equivalence.matrix.cells import cells
from unified_blocks.porting.proof import Judged, Proof, ProofRow
from unified_blocks.reference.rows import compared

HOSTILE = "<script>alert(1)</script>"
NASTY = f"</script>{HOSTILE}<b>&amp;\"'"
CASES = ("MLP", HOSTILE, "a network with a name that is longer than a phone is wide")


def records(cases=CASES, broken=True):
    """Three backends of which, if any is to be broken, the second is, in each way that there is."""
    found = [record_of(name, cases=cases) for name in ("one", NASTY, "three")]
    for record in found:
        for (_, dtype, mode), entry in record.entries.items():
            if mode == "training":
                loss = np.array([0.75, 0.5, 0.375, 0.25], dtype)
                entry.arrays["loss"], entry.expected["loss"] = loss, loss.astype("float64")
    if broken:
        entries = found[1].entries
        entries["MLP", "float64", "forward"].arrays["output"][1, 2] += 1e-2
        entries["MLP", "float32", "gradient"].arrays["gradient/a.weight"][0, 0] = np.nan
        entries[HOSTILE, "float32", "training"].arrays["loss"][3] = np.inf
        for mode, status in (("compiled", "unsupported"), ("saved", "error")):
            entry = entries["MLP", "float64", mode]
            entry.status, entry.reason, entry.arrays, entry.expected = status, NASTY, {}, {}
    return found


def comparison(broken=True):
    """What a comparison gives, of a model that has a name like any other."""
    x = np.linspace(-1, 1, 12).reshape(3, 4)
    rows = [
        compared("a.weight", "parameter", x, x),
        compared(HOSTILE, "call", x, x + 1e-3 * broken),
        compared("output", "output", x, x[:2] if broken else x),
    ]
    first = FirstDifference(HOSTILE, "call", rows[1], "epsilon") if broken else None
    return Comparison("MLP on one", NASTY, "train", rows, first, ("outputs only of MLP",))


def port(broken=True, proved=True):
    """The page of a port, whose layers have names like any other."""
    errors = {"a": 1e-12, HOSTILE: 1e-3 * broken, "output": np.inf if broken else 0.0}
    rows = tuple(
        ProofRow(
            name, "Convolution", (1, 2, 3), (Judged(NASTY, e, 1e-9), Judged("NumPy", 0.0, 1e-9))
        )
        for name, e in errors.items()
    )
    from unified_blocks.porting.page import port_page  # it needs Jinja2 and Plotly

    proof = Proof(f"{HOSTILE} on {NASTY}", rows, (NASTY, "NumPy"), (HOSTILE,))
    made = SimpleNamespace(
        network=SimpleNamespace(name=HOSTILE, origin=NASTY),
        target=SimpleNamespace(title="modules"),
        source="import this\n",
        state={HOSTILE: np.zeros((2, 3))},
        names={NASTY: HOSTILE, "b": "gone"},
        decisions=[HOSTILE],
    )
    return port_page(made, proof if proved else None)


def matrix(**about):
    made = records(**about)
    return cells(made), made


class Page(HTMLParser):
    """All elements of a page with their attributes, and the text of its scripts."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.scripts = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data):
        if self.elements and self.elements[-1][0] == "script":
            self.scripts[-1] += data


def section(text, name):
    """The part of a page that has an id."""
    return text.split(f'id="{name}"')[1].split("</section>")[0]


def rows(text):
    """The texts of the cells of all tables, row by row."""
    body = text.partition("<script")[0]
    lines = [line.partition("</table>")[0] for line in body.split("<tr")[1:]]
    tags = re.compile(r"<[^>]*>")
    cells_of = [re.split(r"<t[hd]\b[^>]*>", line)[1:] for line in lines]
    return [[html.unescape(tags.sub("", cell)).strip() for cell in line] for line in cells_of]
