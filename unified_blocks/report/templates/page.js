"use strict";
{
  const figures = document.getElementById("figures").textContent;
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name);
  const narrow = matchMedia("(max-width: 40rem)");
  const dark = matchMedia("(prefers-color-scheme: dark)");

  function template() {
    const axis = {
      gridcolor: color("--rule"),
      linecolor: color("--rule"),
      fixedrange: true, // a finger that scrolls the page does not zoom
      automargin: true,
      zeroline: false,
    };
    return {
      layout: {
        height: 320,
        margin: { l: 10, r: 10, t: 10, b: 10 },
        legend: { orientation: "h", y: 1.02, yanchor: "bottom" },
        dragmode: false,
        font: { color: color("--text"), family: "system-ui, sans-serif", size: narrow.matches ? 11 : 13 },
        paper_bgcolor: color("--page"),
        plot_bgcolor: color("--soft"),
        colorway: ["--first", "--second", "--third", "--fourth"].map(color),
        hoverlabel: { bgcolor: color("--page"), font: { color: color("--text") }, align: "left" },
        shapedefaults: { line: { color: color("--text"), width: 2 } },
        xaxis: axis,
        yaxis: axis,
      },
      data: {
        heatmap: [{
          colorscale: [
            [0, color("--far-below")],
            [0.5, color("--below")],
            [0.5, color("--above")],
            [1, color("--far-above")],
          ],
        }],
      },
    };
  }

  function draw(plot) {
    const figure = JSON.parse(figures)[plot.dataset.figure]; // anew: Plotly keeps what it is given
    figure.layout.template = template();
    const options = { displayModeBar: false, responsive: true };
    Plotly.react(plot, figure.data, figure.layout, options);
    if (!plot.dataset.drawn) {
      plot.dataset.drawn = "yes";
      plot.on("plotly_click", (event) => {
        const target = event.points[0].customdata;
        if (target) location.hash = target;
      });
    }
  }

  function row(part, kind, cells) {
    const line = part.insertRow();
    cells.forEach((text, i) => {
      const cell = document.createElement(i === 0 || kind === "head" ? "th" : "td");
      cell.textContent = text;
      if (cell.tagName === "TH") cell.scope = kind === "head" ? "col" : "row";
      line.append(cell);
    });
  }

  function choose(histogram) {
    const select = histogram.querySelector("select");
    const plot = histogram.querySelector(".plot");
    plot.dataset.figure = select.value;
    draw(plot);
    const { data } = JSON.parse(figures)[select.value];
    const table = document.createElement("table");
    table.createCaption().textContent = select.selectedOptions[0].textContent.trim();
    row(table.createTHead(), "head", ["from", "to", ...data.map(({ meta }) => meta)]);
    const body = table.createTBody();
    const { x0, dx } = data[0];
    data[0].y.slice(0, -1).forEach((_, i) => {
      const edges = [x0 + i * dx, x0 + (i + 1) * dx].map((x) => x.toPrecision(3));
      row(body, "body", [...edges, ...data.map(({ y }) => y[i])]);
    });
    histogram.querySelector("table").replaceWith(table);
  }

  // What is out of sight, or folded away, is drawn when it comes into sight.
  const show = (plot) => {
    const histogram = plot.closest(".histogram");
    if (histogram) choose(histogram);
    else draw(plot);
  };
  const sight = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        sight.unobserve(target);
        show(target);
      }
    },
    { rootMargin: "300px" },
  );
  document.querySelectorAll(".plot").forEach((plot) => sight.observe(plot));
  document.querySelectorAll(".histogram").forEach((histogram) => {
    histogram.querySelector("select").addEventListener("change", () => choose(histogram));
  });
  dark.addEventListener("change", () => {
    document.querySelectorAll(".plot[data-drawn]").forEach(draw);
  });
}
