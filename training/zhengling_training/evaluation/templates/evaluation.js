"use strict";
(() => {
  const parse = (id) => JSON.parse(document.getElementById(id).textContent);
  const settings = parse("settings");
  const bulletins = parse("data");
  const { words, kinds, labels } = settings;
  const form = document.querySelector(".filters");
  const cards = document.querySelector(".cards");
  const CHUNK = 12;

  const make = (name, style, text) => {
    const node = document.createElement(name);
    if (style) node.className = style;
    if (text !== undefined) node.textContent = text;
    return node;
  };
  const fill = (pattern, values) => pattern.replace(/\{(\w+)\}/g, (_, key) => values[key]);
  const percent = (share) => (share === null || share === undefined ? "" : ` ${Math.round(share * 100)}%`);

  // Filters: nothing ticked in a group lets all through; groups are joined by "and".
  function wanted() {
    const data = new FormData(form);
    return {
      kinds: new Set(data.getAll("kind").map(Number)),
      labels: new Set(data.getAll("label").map(Number)),
      confidence: Number(data.get("confidence")),
      sort: data.get("sort"),
    };
  }
  const passes = (filter) => ([kind, , , gold, predicted, confidence]) =>
    (!filter.kinds.size || filter.kinds.has(kind)) &&
    (!filter.labels.size || filter.labels.has(gold) || filter.labels.has(predicted)) &&
    (filter.confidence === 0 || (confidence !== null && confidence >= filter.confidence));

  const orders = {
    count: (a, b) => b.errors.length - a.errors.length || a.bulletin.n - b.bulletin.n,
    rate: (a, b) => b.rate - a.rate || a.bulletin.n - b.bulletin.n,
    data: (a, b) => a.bulletin.n - b.bulletin.n,
  };
  function select(filter) {
    const all = !filter.kinds.size && !filter.labels.size && filter.confidence === 0;
    return bulletins
      .map((bulletin) => {
        const errors = bulletin.errors.filter(passes(filter));
        return { bulletin, errors, rate: errors.length / Math.max(1, bulletin.text.length) };
      })
      .filter((entry) => all || entry.errors.length)
      .sort(orders[filter.sort]);
  }

  // A bulletin: its passages side by side, those without errors folded away.
  function passages(bulletin, length) {
    const owner = bulletin.gold.sentences.length ? bulletin.gold : bulletin.predicted;
    if (!owner.sentences.length) return [{ start: 0, end: length, gold: null }];
    const gold = owner === bulletin.gold;
    return owner.sentences.map((sentence) => ({ start: sentence[0], end: sentence[1], gold: gold ? sentence : null }));
  }
  // Of the predicted sentences the one that covers most of the passage, as in the scores.
  function covering(sentences, { start, end }) {
    let best = null;
    let most = 0;
    for (const sentence of sentences) {
      const common = Math.min(sentence[1], end) - Math.max(sentence[0], start);
      if (common > most) [best, most] = [sentence, common];
    }
    return best;
  }
  const key = (entity) => entity.slice(0, 3).join();

  function chip(place, share, wrong) {
    const node = make("span", `chip l${place}${wrong ? " wrong" : ""}`, labels[place].text + percent(share));
    node.title = labels[place].full;
    return node;
  }
  function verdict(side, name, sentence, other) {
    side.append(make("span", "name", name));
    if (!sentence) return;
    const [, , , score, domains] = sentence;
    const theirs = new Set(other ? other[4].map(([place]) => place) : []);
    if (sentence[2] >= 0) side.append(chip(sentence[2], score, !other || other[2] !== sentence[2]));
    for (const [place, share] of domains) side.append(chip(place, share, !theirs.has(place)));
  }
  function textOf(characters, { start, end }, entities, right, cuts) {
    const node = make("div", "text");
    node.lang = "zh-Hans";
    let at = start;
    const plain = (until) => {
      for (const cut of cuts.filter((place) => place >= at && place < until)) {
        node.append(characters.slice(at, cut).join(""));
        node.append(make("span", "cut"));
        at = cut;
      }
      node.append(characters.slice(at, until).join(""));
      at = until;
    };
    for (const entity of entities) {
      const from = Math.max(entity[0], start);
      const to = Math.min(entity[1], end);
      if (from >= to) continue;
      plain(from);
      const mark = make("mark", `l${entity[2]}`, characters.slice(from, to).join(""));
      if (!right.has(key(entity))) mark.classList.add("wrong");
      const label = labels[entity[2]];
      mark.dataset.label = label ? label.text : "";
      mark.setAttribute("aria-description", (label ? label.full : "") + percent(entity[3]));
      node.append(mark);
      at = to;
    }
    plain(end);
    return node;
  }
  // The words of the side that bears the label, within the span of the error.
  function wording(characters, entities, start, end, place) {
    const found = entities.find((entity) => entity[0] >= start && entity[1] <= end && entity[2] === place);
    const surface = found ? characters.slice(found[0], found[1]) : [];
    return surface.length > 24 ? `${surface.slice(0, 23).join("")}…` : surface.join("");
  }
  function mistake(bulletin, characters, [kind, start, end, gold, predicted, confidence]) {
    const item = make("li");
    item.append(make("b", "", kinds[kind]));
    const sides = [[bulletin.gold, gold], [bulletin.predicted, predicted]].map(([side, place]) =>
      place < 0 ? words.none : `${wording(characters, side.entities, start, end, place)} ${labels[place].full}`.trim());
    if (gold >= 0 || predicted >= 0) item.append(` ${sides.join(" → ")}`);
    item.append(percent(confidence));
    return item;
  }
  function row(bulletin, characters, passage, errors, sets) {
    const node = make("div", "row");
    const guess = covering(bulletin.predicted.sentences, passage);
    const cuts = bulletin.predicted.sentences.map(([start]) => start).filter((start) => start > passage.start && start < passage.end);
    const left = make("div", "side gold");
    verdict(left, words.title_of_gold, passage.gold, passage.gold && guess);
    left.append(textOf(characters, passage, bulletin.gold.entities, sets.predicted, []));
    const right = make("div", "side predicted");
    verdict(right, words.title_of_predicted, guess, passage.gold || guess);
    right.append(textOf(characters, passage, bulletin.predicted.entities, sets.gold, passage.gold ? cuts : []));
    node.append(left, right);
    if (errors.length) {
      const list = make("ul", "mistakes");
      list.append(...errors.map((error) => mistake(bulletin, characters, error)));
      node.append(list);
    }
    return node;
  }
  function card({ bulletin, errors }) {
    const node = make("article", "card");
    const characters = Array.from(bulletin.text);
    node.append(make("h3", "", bulletin.title || bulletin.id));
    const facts = make("p", "facts");
    for (const fact of [...bulletin.facts, `${kindsOf(errors)}`]) if (fact) facts.append(make("span", "", fact));
    node.append(facts);
    if (!characters.length) return node.append(make("p", "blank", words.blank)), node;
    const sets = {
      gold: new Set(bulletin.gold.entities.map(key)),
      predicted: new Set(bulletin.predicted.entities.map(key)),
    };
    const quiet = [];
    for (const passage of passages(bulletin, characters.length)) {
      const inside = errors.filter(([, start, end]) => start < passage.end && end > passage.start);
      const built = () => row(bulletin, characters, passage, inside, sets);
      if (inside.length) {
        node.append(built());
      } else {
        const place = make("div");
        place.hidden = true;
        quiet.push([place, built]);
        node.append(place);
      }
    }
    if (quiet.length) node.append(unfolder(quiet));
    return node;
  }
  function kindsOf(errors) {
    const counts = new Map();
    for (const [kind] of errors) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    return [...counts].map(([kind, count]) => `${kinds[kind]} ${count}`).join(" · ");
  }
  function unfolder(quiet) {
    const line = make("p", "more");
    const button = make("button", "", fill(words.rows_without, { n: quiet.length }));
    button.type = "button";
    button.addEventListener("click", () => {
      for (const [place, built] of quiet) place.replaceWith(built());
      line.remove();
    });
    line.append(button);
    return line;
  }

  // Cards are made when the reader comes near them.
  let queue = [];
  const end = make("div", "rest");
  cards.after(end);
  function more() {
    cards.append(...queue.splice(0, CHUNK).map(card));
  }
  const watch = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting) || !queue.length) return;
    more();
    watch.unobserve(end);
    watch.observe(end);
  }, { rootMargin: "1200px" });

  function show() {
    const filter = wanted();
    form.querySelector("[data-of=confidence]").value = filter.confidence.toFixed(2);
    queue = select(filter);
    const errors = queue.reduce((sum, entry) => sum + entry.errors.length, 0);
    form.querySelector("[data-of=shown]").textContent = fill(words.shown, { shown: queue.length, all: bulletins.length, errors });
    cards.replaceChildren();
    if (!queue.length) cards.append(make("p", "blank", words.nothing_found));
    watch.unobserve(end);
    watch.observe(end);
  }
  form.hidden = false;
  form.addEventListener("input", show);
  form.addEventListener("reset", () => setTimeout(show));
  form.addEventListener("submit", (event) => event.preventDefault());
  show();

  // Near the right border a label opens to the left.
  function turn(event) {
    const mark = event.target.closest?.("mark");
    if (mark) mark.classList.toggle("end", mark.getClientRects()[0].left > innerWidth - 160);
  }
  document.addEventListener("pointerover", turn);
})();
