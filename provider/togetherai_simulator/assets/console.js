// Keeps the console up to date and carries out its buttons. The simulator makes the page itself.
"use strict";

const content = document.getElementById("content");
const query = new URLSearchParams(location.search);
const key = document.querySelector("meta[name=api-key]").content;
let tag = "";
let clock = { simulated: Date.now(), real: Date.now(), speed: 1 };

async function refresh() {
  try {
    const answer = await fetch(`/_simulator/console?cluster=${encodeURIComponent(query.get("cluster") ?? "")}`, {
      headers: tag ? { "If-None-Match": tag } : {},
      cache: "no-store",
    });
    clock = {
      simulated: Date.parse(answer.headers.get("X-Simulated-Time")),
      real: Date.now(),
      speed: Number(answer.headers.get("X-Speed")),
    };
    if (answer.status === 200) {
      tag = answer.headers.get("ETag");
      replace(await answer.text());
    }
    document.getElementById("lost").hidden = true;
  } catch {
    document.getElementById("lost").hidden = false;
  }
  tick();
}

// Details that were open stay open, and the button that had the focus keeps it.
function replace(html) {
  const focused = document.activeElement?.id;
  const open = [...content.querySelectorAll("details[open]")].map((details) => details.id);
  content.innerHTML = html;
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  if (focused && document.activeElement === document.body) document.getElementById(focused)?.focus();
  content.removeAttribute("aria-busy");
}

function tick() {
  const now = clock.simulated + (Date.now() - clock.real) * clock.speed;
  document.getElementById("clock").textContent = new Date(now).toISOString().slice(0, 19).replace("T", " ");
  const speed = document.getElementById("speed");
  if (document.activeElement !== speed) {
    speed.value = String(clock.speed);
    if (!speed.value) speed.add(new Option(`×${clock.speed}`, clock.speed, true, true));
  }
  for (const time of document.querySelectorAll("time[data-since]")) {
    time.textContent = spoken(Math.max(0, now - Date.parse(time.dataset.since)) / 1000);
  }
}

function spoken(seconds) {
  for (const [unit, length] of [["d", 86400], ["h", 3600], ["min", 60]]) {
    if (seconds >= 2 * length) return `${Math.round(seconds / length)} ${unit}`;
  }
  return `${Math.floor(seconds)} s`;
}

async function send(method, path, body) {
  const answer = await fetch(path, {
    method,
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  }).catch((error) => ({ ok: false, json: async () => ({ message: String(error) }) }));
  const told = await answer.json().catch(() => ({ message: "the answer is no JSON" }));
  say(answer.ok ? "" : told.message);
  await refresh();
}

function say(text) {
  document.getElementById("message").textContent = text;
}

// Shows a dialog. Returns what the user filled in, or undefined if the user closed it.
function ask(name, data) {
  const dialog = document.getElementById(`${name}-dialog`);
  const form = dialog.querySelector("form");
  form.reset();
  for (const place of dialog.querySelectorAll("[data-show]")) place.textContent = data[place.dataset.show];
  form.dispatchEvent(new Event("change"));
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener(
      "close",
      () => {
        const filled = [...new FormData(form)].filter(([, value]) => value !== "");
        resolve(dialog.returnValue === "ok" ? Object.fromEntries(filled) : undefined);
      },
      { once: true },
    );
  });
}

const full = (mode) => mode && `REMEDIATION_MODE_${mode}`;
const part = encodeURIComponent;
const node = (data) => `${part(data.cluster)}/${part(data.instance)}`;
const remediations = (data) => `/v1/compute/clusters/${part(data.cluster)}/instances/${part(data.instance)}/remediations`;
const remediation = (data) => `${remediations(data)}/${part(data.remediation)}`;

const actions = {
  advance: (data) => send("POST", "/_simulator/advance", { seconds: Number(data.seconds) }),
  "clear-faults": () => send("DELETE", "/_simulator/faults"),
  cancel: (data) => send("POST", `${remediation(data)}/cancel`),
  async approve(data) {
    const filled = await ask("approve", data);
    if (filled) await send("POST", `${remediation(data)}/approve`, { ...filled, mode: full(filled.mode) });
  },
  async reject(data) {
    const filled = await ask("reject", data);
    if (filled) await send("POST", `${remediation(data)}/reject`, filled);
  },
  async fault(data) {
    const filled = await ask("fault", data);
    if (!filled) return;
    for (const name of ["probability", "count", "seconds"]) if (name in filled) filled[name] = Number(filled[name]);
    await send("POST", "/_simulator/faults", filled);
  },
  async start(data) {
    const filled = await ask("start", data);
    if (!filled) return;
    const control = `/_simulator/instances/${node(data)}`;
    if (filled.what === "propose") await send("POST", `${control}/propose`, { fault: filled.fault, force: true });
    else if (filled.what === "behaviour") await send("PUT", `${control}/behaviour`, { outcome: filled.outcome });
    else {
      await send("POST", remediations(data), { mode: full(filled.mode), reason: filled.reason });
    }
  },
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  if (button) actions[button.dataset.do](button.dataset);
});
document.querySelector("#start-dialog form").addEventListener("change", (event) => {
  const what = event.currentTarget.elements.what.value;
  for (const label of event.currentTarget.querySelectorAll("[data-when]")) label.hidden = label.dataset.when !== what;
});
document.getElementById("speed").addEventListener("change", (event) => {
  send("POST", "/_simulator/clock", { speed: Number(event.target.value) });
});

refresh();
setInterval(refresh, 1000);
