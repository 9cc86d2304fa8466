"""Build one page of the site, cells and all, to look at it.

    python docs/try.py howto/write-a-block [folder]

Links to other pages lead nowhere there. `tox run -e docs` builds all of it.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

DOCS = Path(__file__).parent


def build(page: str, into: Path) -> Path:
    """The page as HTML; other pages stay out of it."""
    into.mkdir(parents=True, exist_ok=True)
    only = f"-Dinclude_patterns={page}.md"
    options = ["-q", "-E", "-b", "html", only, f"-Droot_doc={page}"]
    subprocess.run([sys.executable, "-m", "sphinx", *options, DOCS, into / "html"], check=True)
    return into / "html" / f"{page}.html"


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    name = sys.argv[1].removesuffix(".md")
    print(build(name, Path(sys.argv[2] if len(sys.argv) == 3 else tempfile.mkdtemp())))
