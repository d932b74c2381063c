// What the pages do besides being read: search while typing, this service's address in commands, copy, run.
"use strict";

const WRITTEN = "http://127.0.0.1:8000";
const SHOWN = 4000;
const TOLD = ["etag", "cache-control", "x-cache", "age", "content-type", "ratelimit", "ratelimit-remaining", "retry-after", "x-request-id"];
const KEPT = "aurum-api-key";
const keys = document.querySelector("#keys");
// Of this tab only, gone with it, and sent in a header to this service only. Where no key is needed none is read.
let key = keys ? sessionStorage.getItem(KEPT) || "" : "";

function use(text) {
  key = text;
  if (!keys) return;
  if (key) sessionStorage.setItem(KEPT, key);
  else sessionStorage.removeItem(KEPT);
  keyState();
}

function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

// Commands name the service that shows them.
for (const block of document.querySelectorAll(".code code")) {
  const walker = document.createTreeWalker(block, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) walker.currentNode.data = walker.currentNode.data.replaceAll(WRITTEN, location.origin);
}

for (const block of document.querySelectorAll(".code")) {
  const tools = element("div", { className: "tools" });
  if (navigator.clipboard) {
    const copy = element("button", { type: "button", textContent: "Copy" });
    copy.addEventListener("click", async () => {
      await navigator.clipboard.writeText(block.querySelector("code").textContent.trim());
      copy.textContent = "Copied";
      setTimeout(() => (copy.textContent = "Copy"), 1500);
    });
    tools.append(copy);
  }
  if (block.dataset.run) {
    const run = element("button", { type: "button", textContent: "Run", className: "run" });
    run.addEventListener("click", () => ask(block));
    tools.append(run);
  }
  block.append(tools);
}

async function ask(block) {
  let output = block.nextElementSibling;
  if (!output || !output.classList.contains("answer")) {
    output = element("div", { className: "answer" });
    block.after(output);
  }
  const headers = { ...JSON.parse(block.dataset.headers) };
  if (key) headers["X-API-Key"] = key;
  const began = performance.now();
  try {
    const answer = await fetch(block.dataset.run, { headers, cache: "no-store" });
    const body = await answer.arrayBuffer();
    const took = (performance.now() - began).toFixed(0);
    const told = TOLD.filter((name) => answer.headers.has(name)).map((name) => `${name}: ${answer.headers.get(name)}`);
    const status = `${answer.status} ${answer.statusText}, ${body.byteLength.toLocaleString("en")} bytes in ${took} ms`;
    output.replaceChildren(
      element("p", { className: answer.ok ? "ok" : "bad", textContent: status }),
      element("pre", { tabIndex: 0, textContent: `${told.join("\n")}\n\n${readable(answer.headers.get("content-type") || "", body)}` }),
    );
    if (answer.status === 401) output.append(keyField(block));
  } catch (error) {
    output.replaceChildren(element("p", { className: "bad", textContent: `no answer: ${error.message}` }));
  }
}

function readable(type, body) {
  if (!/json|text|csv|xml/.test(type)) return `(${body.byteLength.toLocaleString("en")} bytes that are no text)`;
  let text = new TextDecoder().decode(body);
  if (/application\/(problem\+)?json/.test(type)) text = compact(JSON.parse(text));
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}\n…` : text;
}

// A row of a list on a line of its own: a table of observations is read down, not across.
function compact(document) {
  if (!Array.isArray(document.data)) return JSON.stringify(document, null, 2);
  const rows = document.data.map((row) => `    ${JSON.stringify(row)}`).join(",\n");
  const rest = Object.entries(document).filter(([name]) => name !== "data");
  const others = rest.map(([name, value]) => `,\n  ${JSON.stringify(name)}: ${JSON.stringify(value)}`).join("");
  return `{\n  "data": [\n${rows}\n  ]${others}\n}`;
}

// A field without a name, which no form sends.
function keyForm(label, entered) {
  const field = element("input", { type: "password", placeholder: "API key", ariaLabel: "API key", autocomplete: "off", spellcheck: false });
  const form = element("form", { className: "key" }, field, element("button", { textContent: label }));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = field.value.trim();
    if (/^[\x21-\x7e]+$/.test(text)) entered(text);
    field.value = "";
  });
  return form;
}

function keyField(block) {
  return keyForm("Run with this key", (text) => {
    use(text);
    ask(block);
  });
}

// The box in the bar: the key is tried before it is used, and the answer says whose it is.
let keyState = () => {};

function keyBox() {
  const opener = element("button", { type: "button", ariaExpanded: "false" });
  const said = element("p", { role: "status" });
  const remove = element("button", { type: "button", textContent: "Remove the key" });
  const panel = element("div", { className: "panel", hidden: true }, element("p", { textContent: "The examples of all pages send this API key. It stays in this tab and goes to this service only." }));
  keyState = () => {
    opener.textContent = key ? "API key: set" : "API key";
    opener.classList.toggle("ok", Boolean(key));
    remove.hidden = !key;
  };
  const tried = async (text) => {
    said.className = "";
    said.textContent = "…";
    try {
      const answer = await fetch("/v2/me?days=1", { headers: { "X-API-Key": text }, cache: "no-store" });
      const { data, detail, title } = await answer.json();
      if (answer.ok) use(text);
      said.className = answer.ok ? "ok" : "bad";
      said.textContent = answer.ok ? `${data.subject} of ${data.tenant}${data.plan ? `, plan ${data.plan.name}` : ""}` : detail || title;
    } catch (error) {
      said.className = "bad";
      said.textContent = `no answer: ${error.message}`;
    }
  };
  const show = (open) => {
    panel.hidden = !open;
    opener.ariaExpanded = String(open);
    if (open) panel.querySelector("input").focus();
  };
  remove.addEventListener("click", () => {
    use("");
    said.textContent = "";
  });
  opener.addEventListener("click", () => show(panel.hidden));
  document.addEventListener("click", (event) => event.target.closest("#keys") || show(false));
  document.addEventListener("keydown", (event) => event.key === "Escape" && show(false));
  panel.append(keyForm("Use this key", tried), said, remove);
  keys.append(opener, panel);
  keyState();
}

if (keys) keyBox();

const search = document.querySelector("#search");
const found = document.querySelector("#found");
let last = 0;

async function look() {
  const mine = ++last;
  const words = search.value.trim();
  if (!words) return (found.hidden = true);
  const answer = await fetch(`/docs/search?q=${encodeURIComponent(words)}`);
  if (mine !== last || !answer.ok) return;
  const hits = await answer.json();
  found.replaceChildren(...hits.map(item));
  if (!hits.length) found.append(element("li", { className: "none", textContent: "No page has all of these words." }));
  found.hidden = false;
}

function item(hit) {
  const kind = element("span", { className: "kind", textContent: hit.kind });
  const small = element("small", { textContent: [hit.name, hit.excerpt].filter(Boolean).join(" · ") });
  return element("li", {}, element("a", { href: hit.url }, element("b", { textContent: hit.title }), kind, small));
}

search.addEventListener("input", look);
search.addEventListener("focus", look);
document.addEventListener("click", (event) => {
  if (!event.target.closest(".search") || event.target.closest(".found a")) found.hidden = true;
});
document.addEventListener("keydown", (event) => {
  const writing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
  if (event.key === "/" && !writing) {
    event.preventDefault();
    search.focus();
  } else if (event.key === "Escape") {
    found.hidden = true;
  } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && !found.hidden) {
    const links = [search, ...found.querySelectorAll("a")];
    const place = links.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
    if (links[place]) {
      event.preventDefault();
      links[place].focus();
    }
  }
});

// On a phone the list of guides starts closed: the guide is what was asked for.
const side = document.querySelector(".side details");
if (side && matchMedia("(max-width: 50rem)").matches) side.open = false;
