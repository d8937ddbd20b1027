"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

  // Filters: nothing ticked in a group lets all through; groups are joined by "and".
  const bears = (node, styles) => !styles.length || styles.some((style) => node.classList.contains(style));

  function filter(form, root) {
    const ticked = (name) => all(`input[name=${name}]:checked`, form).map((box) => box.value);
    const [functions, domains, entities] = ["f", "d", "e"].map(ticked);
    const passes = (node) => bears(node, functions) && bears(node, domains);
    for (const node of all(".s", root)) node.classList.toggle("off", !passes(node));
    for (const row of all(".sentences tbody tr", root)) row.hidden = !passes(row);
    for (const mark of all("mark", root)) {
      mark.classList.toggle("off", !bears(mark, entities) || Boolean(mark.parentElement.closest(".off")));
    }
    for (const row of all(".tally tbody tr", root)) row.hidden = !bears(row, entities);
    for (const group of all(".group", root)) group.hidden = !group.querySelector("tbody tr:not([hidden])");
    const sentencesMatter = functions.length + domains.length > 0;
    for (const bulletin of all(".bulletin", root)) {
      bulletin.hidden =
        (sentencesMatter && !bulletin.querySelector(".s:not(.off)")) ||
        (entities.length > 0 && !bulletin.querySelector("mark:not(.off)"));
    }
    for (const row of all("tr[data-for]", root)) {
      row.hidden = document.getElementById(row.dataset.for).closest(".bulletin").hidden;
    }
    for (const output of all("output", form)) {
      const nodes = all(output.dataset.of, root);
      output.value = `${nodes.filter((node) => !node.classList.contains("off")).length} / ${nodes.length}`;
    }
  }

  // Entities: one stop of the tab key for each bulletin, arrow keys within it.
  function rove(event) {
    const here = event.target.closest("mark");
    if (!step[event.key] || !here) return;
    const marks = all("mark:not(.off)", here.closest(".text"));
    const next = marks[marks.indexOf(here) + step[event.key]];
    event.preventDefault();
    if (!next) return;
    here.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }

  // Near the right border a label opens to the left.
  function turn(event) {
    const mark = event.target.closest?.("mark");
    if (mark) mark.classList.toggle("end", mark.getClientRects()[0].left > innerWidth - 160);
  }

  // Folding: links and printing open what they need.
  const fold = (open) => { for (const node of all("details.bulletin")) node.open = open; };
  function reveal() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const details = target?.closest("details");
    if (!details || details.open) return;
    details.open = true;
    target.scrollIntoView();
  }

  /** Wake up bulletins below a node: filters, keys and folding. */
  function show(root) {
    const form = root.querySelector(".filters");
    if (form) {
      form.hidden = false;
      form.addEventListener("change", () => filter(form, root));
      form.addEventListener("reset", () => setTimeout(() => filter(form, root)));
      filter(form, root);
    }
    for (const text of all(".text", root)) {
      all("mark", text).forEach((mark, place) => { mark.tabIndex = place ? -1 : 0; });
      text.addEventListener("keydown", rove);
    }
    for (const button of all("[data-fold]", root)) {
      button.closest("[hidden]")?.removeAttribute("hidden");
      button.addEventListener("click", () => fold(Boolean(button.dataset.fold)));
    }
  }

  document.addEventListener("pointerover", turn);
  document.addEventListener("focusin", turn);
  addEventListener("hashchange", reveal);
  let closed = [];
  addEventListener("beforeprint", () => { closed = all("details.bulletin:not([open])"); fold(true); });
  addEventListener("afterprint", () => { for (const node of closed) node.open = false; });
  window.zhengling = { show };
  show(document);
  reveal();
})();
