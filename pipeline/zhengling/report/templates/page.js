"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const bulletins = all(".bulletin");
  const form = document.querySelector(".filters");

  // Filters: nothing ticked in a group lets all through; groups are joined by "and".
  const ticked = (name) => all(`input[name=${name}]:checked`, form).map((box) => box.value);
  const bears = (node, styles) => !styles.length || styles.some((style) => node.classList.contains(style));

  function filter() {
    const [functions, domains, entities] = ["f", "d", "e"].map(ticked);
    const passes = (node) => bears(node, functions) && bears(node, domains);
    for (const node of all(".s")) node.classList.toggle("off", !passes(node));
    for (const row of all(".sentences tbody tr")) row.hidden = !passes(row);
    for (const mark of all("mark")) {
      mark.classList.toggle("off", !bears(mark, entities) || Boolean(mark.parentElement.closest(".off")));
    }
    for (const row of all(".tally tbody tr")) row.hidden = !bears(row, entities);
    for (const group of all(".group")) group.hidden = !group.querySelector("tbody tr:not([hidden])");
    const sentencesMatter = functions.length + domains.length > 0;
    for (const bulletin of bulletins) {
      bulletin.hidden =
        (sentencesMatter && !bulletin.querySelector(".s:not(.off)")) ||
        (entities.length > 0 && !bulletin.querySelector("mark:not(.off)"));
    }
    for (const row of all("tr[data-for]")) {
      row.hidden = document.getElementById(row.dataset.for).closest(".bulletin").hidden;
    }
    for (const output of all("output", form)) {
      const nodes = all(output.dataset.of);
      output.value = `${nodes.filter((node) => !node.classList.contains("off")).length} / ${nodes.length}`;
    }
  }

  if (form) {
    form.hidden = false;
    form.addEventListener("change", filter);
    form.addEventListener("reset", () => setTimeout(filter));
    filter();
  }

  // Entities: one stop of the tab key for each bulletin, arrow keys within it.
  function rove(event) {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const here = event.target.closest("mark");
    if (!step || !here) return;
    const marks = all("mark:not(.off)", here.closest(".text"));
    const next = marks[marks.indexOf(here) + step];
    event.preventDefault();
    if (!next) return;
    here.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }
  for (const text of all(".text")) {
    all("mark", text).forEach((mark, place) => { mark.tabIndex = place ? -1 : 0; });
    text.addEventListener("keydown", rove);
  }

  // Near the right border a label opens to the left.
  function turn(event) {
    const mark = event.target.closest("mark");
    if (mark) mark.classList.toggle("end", mark.getClientRects()[0].left > innerWidth - 160);
  }
  document.addEventListener("pointerover", turn);
  document.addEventListener("focusin", turn);

  // Folding: links and printing open what they need.
  const fold = (open) => { for (const node of all("details")) node.open = open; };
  for (const button of all("[data-fold]")) {
    button.closest("[hidden]")?.removeAttribute("hidden");
    button.addEventListener("click", () => fold(Boolean(button.dataset.fold)));
  }
  function reveal() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const details = target?.closest("details");
    if (!details || details.open) return;
    details.open = true;
    target.scrollIntoView();
  }
  addEventListener("hashchange", reveal);
  reveal();
  let closed = [];
  addEventListener("beforeprint", () => { closed = all("details:not([open])"); fold(true); });
  addEventListener("afterprint", () => { for (const node of closed) node.open = false; });
})();
