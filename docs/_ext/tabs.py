"""Cells that stand one after another, one for each framework, are tabs that switch together.

A cell belongs to a framework by its tag. Its first line, such as `# on torch`, says the same to the
kernel, and is left out of the page, where the tab says it.
"""

from docutils import nodes
from sphinx.transforms import SphinxTransform
from sphinx_design.shared import create_component

TABS = {"torch": "PyTorch", "tensorflow": "TensorFlow", "mxnet": "MXNet"}


def framework_of(node: nodes.Node) -> str | None:
    """The framework of a cell, or None."""
    if not isinstance(node, nodes.container) or node.get("nb_element") != "cell_code":
        return None
    tags = (node.get("cell_metadata") or {}).get("tags", [])
    return next((name for name in TABS if name in tags), None)


def is_tabs(node: nodes.Node | None) -> bool:
    return isinstance(node, nodes.Element) and node.get("design_component") == "tab-set"


def without_its_first_line(cell: nodes.Element) -> None:
    for block in cell.findall(nodes.literal_block):
        first, _, rest = block.astext().partition("\n")
        if first.startswith("# on "):
            block.children = [nodes.Text(rest)]
            block.rawsource = rest


def tab(name: str, cell: nodes.Element) -> nodes.Element:
    item = create_component("tab-item", classes=["sd-tab-item"], selected=False)
    label = nodes.rubric(TABS[name], nodes.Text(TABS[name]), classes=["sd-tab-label"])
    label["sync_id"], label["sync_group"] = name, "framework"
    content = create_component("tab-content", classes=["sd-tab-content"])
    content += cell
    item += [label, content]
    return item


class Tabs(SphinxTransform):
    """Puts cells of frameworks into tabs; a second cell of the same framework begins new ones."""

    default_priority = 400

    def apply(self) -> None:
        for cell in [node for node in self.document.findall() if framework_of(node)]:
            name = framework_of(cell)
            without_its_first_line(cell)
            parent, at = cell.parent, cell.parent.index(cell)
            tabs = parent[at - 1] if at else None
            if is_tabs(tabs) and name not in tabs["frameworks"]:
                parent.remove(cell)
            else:
                tabs = create_component("tab-set", classes=["sd-tab-set"])
                tabs["frameworks"] = []
                parent.replace(cell, tabs)
            tabs["frameworks"].append(name)
            tabs += tab(name, cell)


def setup(app):
    app.add_transform(Tabs)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
