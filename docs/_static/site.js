// What scrolls sideways can be scrolled with the keyboard: whether it does depends on the width.
(() => {
  const portuguese = document.documentElement.lang.startsWith("pt");
  const names = portuguese ? { code: "Código", table: "Tabela" } : { code: "Code", table: "Table" };

  const update = (element) => {
    if (element.scrollWidth > element.clientWidth) {
      element.tabIndex = 0;
      element.setAttribute("role", "group");
      element.setAttribute("aria-label", names[element.matches("pre") ? "code" : "table"]);
    } else {
      for (const name of ["tabindex", "role", "aria-label"]) element.removeAttribute(name);
    }
  };

  const sizes = new ResizeObserver((entries) => entries.forEach((entry) => update(entry.target)));
  for (const element of document.querySelectorAll("pre, .table-wrapper")) sizes.observe(element);
})();
