// Keeps the console up to date and carries out its buttons. The simulator makes the page itself.
"use strict";

const PATIENCE = 5000; // milliseconds that the simulator has for an answer to the page
const READ = 10000; // milliseconds for which a message stands

const byId = (id) => document.getElementById(id);
const content = byId("content");
const query = new URLSearchParams(location.search);
const key = document.querySelector("meta[name=api-key]").content;
const parts = new Map(); // the HTML of each part of the content, as it came
let tag = "";
let turn = 0;
let clock = { simulated: Date.now(), real: Date.now(), speed: 1 };
let lost; // since when the simulator does not answer, in simulated milliseconds
let told = "";
let fading;

async function refresh() {
  const mine = ++turn;
  const asked = new URLSearchParams({ cluster: query.get("cluster") ?? "", find: byId("find").value, sort: byId("sort").value });
  try {
    const answer = await fetch(`/_simulator/console?${asked}`, {
      headers: tag ? { "If-None-Match": tag } : {},
      cache: "no-store",
      signal: AbortSignal.timeout(PATIENCE),
    });
    if (![200, 304].includes(answer.status)) throw new Error(`HTTP ${answer.status}`);
    const html = answer.status === 200 ? await answer.text() : undefined;
    if (mine !== turn) return; // another question was asked meanwhile
    clock = {
      simulated: Date.parse(answer.headers.get("X-Simulated-Time")),
      real: Date.now(),
      speed: Number(answer.headers.get("X-Speed")),
    };
    lost = undefined;
    if (html !== undefined) {
      tag = answer.headers.get("ETag");
      replace(html);
    }
  } catch {
    if (mine !== turn) return;
    lost ??= now();
  }
  show();
  tick();
}

// Shows the parts that have changed. What was open stays open, and the focus stays where it was, or near it.
function replace(html) {
  const fresh = document.createElement("template");
  fresh.innerHTML = html;
  const where = trail(document.activeElement);
  const open = [...content.querySelectorAll("details[open]")].map((details) => details.id);
  const [came, there] = [fresh.content, content].map((place) => [...place.querySelectorAll("[data-part]")]);
  const same = came.map((part) => part.id).join() === there.map((part) => part.id).join();
  const changed = came.filter((part) => parts.get(part.id) !== part.outerHTML);
  for (const part of changed) parts.set(part.id, part.outerHTML);
  if (same) for (const part of changed) byId(part.id).replaceWith(part);
  else content.replaceChildren(fresh.content);
  for (const id of open) byId(id)?.setAttribute("open", "");
  if (document.activeElement === document.body) focusNear(where);
  content.removeAttribute("aria-busy");
}

// The ids of an element of the content and of what it is in: where the focus goes if the element is gone.
function trail(element) {
  const ids = [];
  for (let at = content.contains(element) ? element : content; at !== content; at = at.parentElement) {
    if (at.id) ids.push(at.id);
  }
  return ids.length ? [...ids, "waiting"] : [];
}

function focusNear(ids) {
  for (const id of ids) {
    byId(id)?.focus({ preventScroll: id === ids[0] });
    if (document.activeElement !== document.body) return;
  }
}

function now() {
  return clock.simulated + (Date.now() - clock.real) * clock.speed;
}

const written = (time) => new Date(time).toISOString().slice(0, 19).replace("T", " ");

// The clock and all ages stand still while the simulator does not answer.
function tick() {
  const time = lost ?? now();
  byId("clock").textContent = written(time);
  const speed = byId("speed");
  if (document.activeElement !== speed) {
    speed.value = String(clock.speed);
    if (!speed.value) speed.add(new Option(`×${clock.speed}`, clock.speed, true, true));
  }
  for (const place of document.querySelectorAll("time[data-since]")) {
    place.textContent = spoken(Math.max(0, time - Date.parse(place.dataset.since)) / 1000);
  }
}

function spoken(seconds) {
  for (const [unit, length] of [["d", 86400], ["h", 3600], ["min", 60]]) {
    if (seconds >= 2 * length) return `${Math.round(seconds / length)} ${unit}`;
  }
  return `${Math.floor(seconds)} s`;
}

// Tells what became of an action, for a while. There is one message at a time.
function say(text) {
  told = text;
  clearTimeout(fading);
  if (text) fading = setTimeout(say, READ, "");
  show();
}

function show() {
  const gone = lost === undefined ? "" : `The simulator does not answer. This is how it was at ${written(lost)} UTC.`;
  const message = byId("message");
  // A reader reads it out each time that it is written.
  if (message.textContent !== (told || gone)) message.textContent = told || gone;
  document.body.classList.toggle("lost", lost !== undefined);
}

// Carries an action out. `what` names it where it fails.
async function send(what, method, path, body) {
  let problem = "";
  try {
    const answer = await fetch(path, {
      method,
      headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (!answer.ok) {
      const said = await answer.json().catch(() => ({}));
      problem = `${what} was refused: ${said.message ?? said.error?.message ?? `HTTP ${answer.status}`}`;
    }
  } catch {
    problem = `${what} was not answered. It may have taken effect.`;
  }
  say(problem);
  await refresh();
}

// Shows a dialog. Returns what the user filled in, or undefined if the user closed it.
function ask(name, data) {
  const dialog = byId(`${name}-dialog`);
  const form = dialog.querySelector("form");
  const where = trail(document.activeElement);
  form.reset();
  form.dataset.beside = data.beside ?? "";
  for (const place of dialog.querySelectorAll("[data-show]")) place.textContent = data[place.dataset.show];
  fit(form);
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener(
      "close",
      () => {
        if (document.activeElement === document.body) focusNear(where);
        const filled = [...new FormData(form)].filter(([, value]) => value !== "");
        resolve(dialog.returnValue === "ok" ? Object.fromEntries(filled) : undefined);
      },
      { once: true },
    );
  });
}

// Leaves only the fields that belong to what is chosen and to the node.
function fit(form) {
  for (const label of form.querySelectorAll("[data-when], [data-if]")) {
    const { when, if: needed } = label.dataset;
    label.hidden = Boolean((when && form.elements.what.value !== when) || (needed && !form.dataset[needed]));
    label.querySelector("input, select").disabled = label.hidden;
  }
}

const full = (mode) => mode && `REMEDIATION_MODE_${mode}`;
const part = encodeURIComponent;
const node = (data) => `${part(data.cluster)}/${part(data.instance)}`;
const remediations = (data) => `/v1/compute/clusters/${part(data.cluster)}/instances/${part(data.instance)}/remediations`;
const remediation = (data) => `${remediations(data)}/${part(data.remediation)}`;
const named = (data) => `${data.mode} of ${data.instance}`;

const actions = {
  back: (data, button) => button.closest("dialog").close(),
  advance: (data, button) => send(`“${button.textContent}”`, "POST", "/_simulator/advance", { seconds: Number(data.seconds) }),
  "clear-faults": () => send("Switching the faults off", "DELETE", "/_simulator/faults"),
  cancel: (data) => send(`Cancelling ${named(data)}`, "POST", `${remediation(data)}/cancel`),
  async approve(data) {
    const filled = await ask("approve", data);
    if (!filled) return;
    const { comment, mode } = filled;
    await send(`Approving ${named(data)}`, "POST", `${remediation(data)}/approve`, { comment, mode: full(mode) });
  },
  async reject(data) {
    const filled = await ask("reject", data);
    if (filled) await send(`Rejecting ${named(data)}`, "POST", `${remediation(data)}/reject`, filled);
  },
  async fault(data) {
    const filled = await ask("fault", data);
    if (!filled) return;
    for (const name of ["probability", "count", "seconds"]) if (name in filled) filled[name] = Number(filled[name]);
    await send(`Switching the fault ${filled.kind} on`, "POST", "/_simulator/faults", filled);
  },
  async start(data) {
    const filled = await ask("start", data);
    if (!filled) return;
    const { what, mode, reason, fault, outcome } = filled;
    const control = `/_simulator/instances/${node(data)}`;
    if (what === "propose") await send(`A proposal for ${data.instance}`, "POST", `${control}/propose`, { fault, force: true });
    else if (what === "behaviour") await send(`A choice for ${data.instance}`, "PUT", `${control}/behaviour`, { outcome });
    else await send(`${mode} of ${data.instance}`, "POST", remediations(data), { mode: full(mode), reason });
  },
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  if (button) actions[button.dataset.do](button.dataset, button);
});
for (const form of document.querySelectorAll("dialog form")) {
  form.addEventListener("change", () => fit(form));
  // Enter confirms from a choice too, as it does from a text; where a list is open it chooses.
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.target.tagName !== "SELECT" || !CSS.supports("selector(:open)")) return;
    if (event.target.matches(":open")) return;
    event.preventDefault(); // or the key would press the button that the focus goes back to
    form.requestSubmit(form.querySelector("button.main"));
  });
}
byId("speed").addEventListener("change", (event) => {
  const speed = Number(event.target.value);
  send(`Speed ×${speed}`, "POST", "/_simulator/clock", { speed });
});
// What is looked for stays in the address, so that the page can be loaded again or passed on.
for (const name of ["find", "sort"]) {
  const field = byId(name);
  field.value = query.get(name) ?? field.value;
  field.addEventListener("input", () => {
    query.set(name, field.value);
    history.replaceState(null, "", `?${query}`);
    refresh();
  });
}

async function follow() {
  await refresh();
  setTimeout(follow, 1000);
}
follow();
