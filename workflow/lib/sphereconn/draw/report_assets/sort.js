// Tables that can be sorted by a click on the name of a column and filtered by words. Without this they stay as they are.
"use strict";

const MISSING = new Set(["n/a", "–", ""]);

function numberOf(text) {
  return MISSING.has(text) ? NaN : Number(text.replaceAll(",", "").replace("−", "-"));
}

/** Order two texts: as numbers where all of the column are, what is missing last in both directions. */
function ordered(one, two, numeric, direction) {
  const gone = [MISSING.has(one), MISSING.has(two)];
  if (gone[0] || gone[1]) return gone[0] - gone[1];
  return direction * (numeric ? numberOf(one) - numberOf(two) : one.localeCompare(two, "en", { numeric: true }));
}

for (const box of document.querySelectorAll(".sortable")) {
  const table = box.querySelector("table");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const texts = rows.map((row) => [...row.cells].map((cell) => cell.textContent.trim()));
  const heads = [...table.tHead.rows[0].cells];

  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    const numeric = texts.every((row) => MISSING.has(row[column]) || !Number.isNaN(numberOf(row[column])));
    button.addEventListener("click", () => {
      // First down for numbers, since the large ones are looked for; then the other way; then as it was.
      const first = numeric ? "descending" : "ascending";
      const next = { none: first, [first]: numeric ? "ascending" : "descending" }[head.ariaSort ?? "none"] ?? "none";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      const order = rows.map((_, place) => place);
      if (next !== "none") {
        head.setAttribute("aria-sort", next);
        const direction = next === "ascending" ? 1 : -1;
        order.sort((one, two) => ordered(texts[one][column], texts[two][column], numeric, direction) || one - two);
      }
      body.append(...order.map((place) => rows[place]));
    });
  });

  const bar = document.createElement("p");
  bar.className = "filter";
  const label = document.createElement("label");
  const input = document.createElement("input");
  input.type = "search";
  label.append("Filter ", input);
  const count = document.createElement("span");
  count.setAttribute("role", "status");
  bar.append(label, " ", count);
  box.before(bar);

  const filter = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, place) => {
      const text = texts[place].join(" ").toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      shown += !row.hidden;
    });
    count.textContent = words.length ? `${shown} of ${rows.length} rows` : `${rows.length} rows`;
  };
  input.addEventListener("input", filter);
  filter();
}
