"use strict";
(() => {
  const at = (id) => document.getElementById(id);
  const form = at("paste"), text = at("text"), files = at("file"), result = at("result");
  const words = Object.fromEntries(
    [...at("words").querySelectorAll("dt")].map((key) => [key.textContent, key.nextElementSibling.textContent]),
  );
  let found = null;

  function say(line, { bad = false } = {}) {
    at("notice").textContent = line;
    at("notice").hidden = !line;
    at("notice").classList.toggle("bad", bad);
  }

  const authorization = () => (at("token").value ? { Authorization: `Bearer ${at("token").value}` } : {});

  function request() {
    const headers = authorization();
    if (files.files.length) {
      const body = new FormData();
      for (const file of files.files) body.append("file", file, file.name);
      return { method: "POST", headers, body };
    }
    const content = { text: text.value, id: words.pasted };
    if (at("date").value) content.date = at("date").value;
    headers["Content-Type"] = "application/json";
    return { method: "POST", headers, body: JSON.stringify(content) };
  }

  async function explain(response) {
    const answer = await response.json().catch(() => ({}));
    const { code = "", message = `HTTP ${response.status}` } = answer.error ?? {};
    at("need-token").hidden = code !== "unauthorized" && !at("token").value;
    const head = words[`error_${code}`];
    const hint = code === "unauthorized" ? ` ${words.token_hint}` : "";
    say((head ? `${head}: ${message}` : message) + hint, { bad: true });
    if (code === "unauthorized") at("token").focus();
  }

  function clear() {
    found = null;
    result.replaceChildren();
    at("unread").replaceChildren();
    for (const node of [at("unread"), at("actions")]) node.hidden = true;
    say("");
  }

  function display(answer) {
    found = answer;
    labels = new Map(Object.entries(answer.labels));
    // The server escapes every text, and the page's policy lets no script in it run.
    result.innerHTML = answer.html;
    window.zhengling.show(result);
    for (const { place, message } of answer.errors) {
      const line = document.createElement("li");
      line.textContent = `${words.unread}: ${place}: ${message}`;
      at("unread").append(line);
    }
    at("unread").hidden = !answer.errors.length;
    at("actions").hidden = !answer.bulletins.length;
    say(answer.bulletins.length ? words.done : "");
    if (answer.bulletins.length) result.focus();
  }

  async function analyse(event) {
    event?.preventDefault();
    if (!text.value.trim() && !files.files.length) {
      say(words.empty, { bad: true });
      text.focus();
      return;
    }
    clear();
    say(words.working);
    const button = form.querySelector(".primary");
    button.disabled = true;
    try {
      const response = await fetch(`/page?language=${form.dataset.language}`, request());
      if (response.ok) display(await response.json());
      else await explain(response);
    } catch {
      say(words.failed, { bad: true });
    } finally {
      button.disabled = false;
    }
  }

  // The task table; where no directives are known, the sentences.
  const sentencesOf = (bulletin) => {
    const characters = [...bulletin.text];
    return bulletin.sentences.map(({ start, end }) => characters.slice(start, end).join(""));
  };
  const texts = (mentions) => (mentions ?? []).map((mention) => mention.text).join("、");
  const shown = (name) => labels.get(name) ?? name;
  let labels = new Map();

  function rows(bulletin) {
    const name = bulletin.title ?? bulletin.id;
    const sentences = sentencesOf(bulletin);
    if (bulletin.directives?.length) {
      return bulletin.directives.map((task, place) => [
        name, place + 1, task.action.text, task.addressee?.text, task.issuer?.text, task.deadline?.text,
        task.deadline?.date, (task.domains ?? []).map(shown).join("、"), texts(task.groups), texts(task.documents),
        sentences[task.sentence],
      ]);
    }
    return bulletin.sentences.map((sentence, place) => [
      name, place + 1, shown(sentence.function ?? ""), sentence.domains.map(shown).join("、"), sentences[place],
    ]);
  }

  function table() {
    const tasks = found.bulletins.filter((bulletin) => bulletin.directives?.length);
    const head = (tasks.length ? words.columns : words.sentence_columns).split("|");
    return [head, ...(tasks.length ? tasks : found.bulletins).flatMap(rows)];
  }

  // A cell that begins like a formula gets an apostrophe, so that no spreadsheet computes it.
  const cell = (value) => String(value ?? "").replace(/\s+/g, " ").replace(/^(?=[=+\-@])/, "'");

  function download(name, kind, content) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([content], { type: kind }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  async function copy() {
    const content = table().map((row) => row.map(cell).join("\t")).join("\n");
    try {
      await navigator.clipboard.writeText(content);
    } catch {
      const area = document.createElement("textarea");
      area.value = content;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    say(words.copied);
  }

  const actions = {
    copy,
    json: () => download("zhengling.json", "application/json", JSON.stringify(found.bulletins, null, 1)),
    excel: async () => {
      const headers = { "Content-Type": "application/json", ...authorization() };
      const body = JSON.stringify({ bulletins: found.bulletins });
      const response = await fetch(`/v1/ledger?language=${form.dataset.language}`, { method: "POST", headers, body });
      if (response.ok) download("zhengling.xlsx", response.headers.get("Content-Type"), await response.blob());
      else await explain(response);
    },
  };

  form.addEventListener("submit", analyse);
  form.addEventListener("reset", () => { clear(); text.focus(); });
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) analyse(event);
  });
  text.addEventListener("input", () => { if (text.value) files.value = ""; });
  files.addEventListener("change", () => { if (files.files.length) { text.value = ""; analyse(); } });
  at("actions").addEventListener("click", (event) => {
    Promise.resolve(actions[event.target.dataset.do]?.()).catch(() => say(words.failed, { bad: true }));
  });
  addEventListener("dragover", (event) => { event.preventDefault(); text.classList.add("over"); });
  addEventListener("dragleave", () => text.classList.remove("over"));
  addEventListener("drop", (event) => {
    event.preventDefault();
    text.classList.remove("over");
    if (event.dataTransfer.files.length) {
      files.files = event.dataTransfer.files;
      files.dispatchEvent(new Event("change"));
    } else {
      text.value = event.dataTransfer.getData("text");
    }
  });
  text.focus();
})();
