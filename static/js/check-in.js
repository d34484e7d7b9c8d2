// [data-check-in]: the gate's form. Each scan is kept on the device until the server has decided it, so a lost
// network, a sign-in or a reload loses no scan. Each scan has an id, so the server decides a scan only once, even if
// it is sent twice. The page shows which scans are undecided, and sends them when the network is back.
(() => {
  const SLOW_AFTER_MS = 3000;
  const TIMEOUT_MS = 10000;
  const RETRY_MS = 3000;
  const CODE_LENGTH = 20;
  const CODE = /[0-9a-z]{4}(?:[ -]?[0-9a-z]{4}){4}/i;
  const WORDS = {
    offline: "No connection. The scan is saved, and checked as soon as the connection is back.",
    busy: "The server is busy. The scan is saved, and checked again in a moment.",
    slow: "No answer yet. The scan is saved.",
    closed: "This gate link no longer works. Ask the organizer for a new one.",
    saved: "The scan is saved.",
    search: "No connection. You can look up names when it’s back.",
    one: "1 scan is saved on this device. It is sent as soon as the connection is back.",
    many: "These scans are saved on this device. They are sent as soon as the connection is back.",
  };

  const form = document.querySelector("[data-check-in]");
  const field = form.elements.code;
  const url = document.querySelector("[data-gate]").dataset.gateUrl;
  const prefix = `check-in ${url} `;
  const place = (selector) => document.querySelector(selector);

  // Each entry is named by its scan's id, so two tabs of one gate never overwrite each other's scans.
  const store = {
    load() {
      try {
        const names = Object.keys(localStorage).filter((name) => name.startsWith(prefix));
        return names.map((name) => JSON.parse(localStorage.getItem(name))).sort((a, b) => a.at - b.at);
      } catch {
        return [];
      }
    },
    save(scan) {
      try {
        localStorage.setItem(prefix + scan.id, JSON.stringify(scan));
      } catch {
        // The browser stores nothing: the scan is still in memory.
      }
    },
    remove(scan) {
      try {
        localStorage.removeItem(prefix + scan.id);
      } catch {
        // As above.
      }
    },
  };

  let waiting = store.load();
  let newest = null;
  let isSending = false;
  // When the newest answer came, on the clock of performance.now().
  let answeredAt = 0;
  let retry = null;

  const newId = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

  // A text that may be a code becomes a scan, which is kept until it is decided. Any other text, such as a name, is
  // only looked up now.
  function isCode(text, keys) {
    if (text.includes("@")) return false;
    const isOneWord = text.replace(/[\s-]/g, "").length >= CODE_LENGTH && !/\S\s+\S{6,}/.test(text);
    const isTypedCode = /\d/.test(keys) && keys.replace(/-/g, "").length >= CODE_LENGTH;
    return isOneWord || isTypedCode || CODE.test(text);
  }

  function say(words) {
    const answer = place("[data-check-in-waiting]").content.cloneNode(true);
    answer.querySelector("[data-words]").textContent = words;
    place("#answer").replaceChildren(answer);
  }

  // A code begins with its booking's reference. The marks are notes about bookings that the staff must see; they are
  // from the last answer of the server.
  function sayLate(scan, words) {
    const plain = (text) => text.toUpperCase().replace(/^TK-/, "").replace(/[^0-9A-Z]/g, "");
    const typed = [scan.code, scan.keys].map(plain);
    const isMarked = (mark) => typed.some((it) => it.includes(plain(mark.dataset.reference)));
    const mark = [...document.querySelectorAll("[data-marks] > li")].find(isMarked);
    say(mark ? `${mark.textContent}. ${WORDS.saved}` : words);
  }

  function showWaiting() {
    const late = waiting.filter((scan) => scan.isLate);
    place("[data-waiting]").hidden = late.length === 0;
    place("[data-waiting-count]").textContent = late.length;
    place("[data-waiting-words]").textContent = late.length === 1 ? WORDS.one : WORDS.many;
    place("[data-waiting-scans]").replaceChildren(...late.slice(-20).map((scan) => {
      const line = document.createElement("li");
      line.textContent = `${scan.code.slice(0, 9)}… ${new Date(scan.at).toLocaleTimeString()}`;
      return line;
    }));
  }

  function markLate(words) {
    for (const scan of waiting) {
      scan.isLate = true;
      store.save(scan);
    }
    showWaiting();
    const scan = waiting.find((it) => it.id === newest);
    if (scan) {
      sayLate(scan, words);
      announce("waiting");
    }
  }

  // Puts each part of the answer into its place on the page. If the answer is not to be shown, only the turnout
  // changes.
  function show(html, isShown) {
    const parts = new DOMParser().parseFromString(html, "text/html").querySelectorAll("hx-partial");
    for (const part of parts) {
      const target = place(part.getAttribute("hx-target"));
      if (!isShown && target.id !== "turnout") continue;
      target.replaceChildren(...part.childNodes);
      htmx.process(target);
    }
    answeredAt = performance.now();
  }

  function announce(tone) {
    document.dispatchEvent(new CustomEvent("check-in:answered", { detail: { tone } }));
  }

  function toneOf() {
    const name = place("#answer .answer")?.className ?? "";
    return /--(\w+)/.exec(name)?.[1] ?? "unclear";
  }

  async function post(fields) {
    const body = new URLSearchParams(fields);
    const signal = AbortSignal.timeout?.(TIMEOUT_MS);
    const response = await fetch(url, { method: "POST", body, headers: { "HX-Request": "true" }, signal });
    const html = await response.text();
    return { status: response.status, html, isDecided: html.includes("<hx-partial") };
  }

  function why(status) {
    if (status === 404 || status === 410) return WORDS.closed;
    return status === 0 ? WORDS.offline : WORDS.busy;
  }

  // Somebody stands at the gate now, so a new scan is sent before the scans that have waited.
  const next = () => waiting.find((scan) => !scan.isLate) ?? waiting[0];

  async function send(scan) {
    const { id, code, keys, event, gate, at, isLate } = scan;
    const fields = { scan: id, code, keys, event, gate, age_ms: Math.max(0, Date.now() - at) };
    if (isLate) fields.unconfirmed = "1";
    const slow = setTimeout(() => markLate(WORDS.slow), SLOW_AFTER_MS);
    const answer = await post(fields).catch(() => ({ status: 0 }));
    clearTimeout(slow);
    if (!answer.isDecided) {
      markLate(why(answer.status));
      // The organizer's session is over. The scans wait until somebody has signed in on this device.
      if (answer.status === 401) location.assign(url);
      return false;
    }
    waiting = waiting.filter((it) => it.id !== id);
    store.remove(scan);
    const isShown = !isLate || id === newest;
    show(answer.html, isShown);
    showWaiting();
    if (isShown) answered(answer.status, code);
    return true;
  }

  async function drain() {
    clearTimeout(retry);
    if (isSending) return;
    isSending = true;
    let isWell = true;
    while (isWell && waiting.length > 0) isWell = await send(next());
    isSending = false;
    if (!isWell) retry = setTimeout(drain, RETRY_MS);
  }

  function answered(status, typed) {
    const isToCorrect = status === 422;
    field.toggleAttribute("aria-invalid", false);
    if (isToCorrect) field.setAttribute("aria-invalid", "true");
    if (isToCorrect && !field.value) {
      field.value = typed;
      field.select();
    }
    focus();
    announce(toneOf());
  }

  // On a phone a focused field opens the keyboard, which would cover the camera's picture.
  function focus() {
    if (place("[data-camera]").hidden) field.focus();
  }

  async function lookUp(code, keys) {
    const fields = { code, keys, event: form.elements.event.value, gate: form.elements.gate.value, scan: newId() };
    const answer = await post(fields).catch(() => ({ status: 0 }));
    if (answer.status === 401) return location.assign(url);
    if (answer.isDecided) {
      show(answer.html, true);
      return answered(answer.status, code);
    }
    say(answer.status === 0 ? WORDS.search : why(answer.status));
    field.value ||= code;
    announce("unclear");
  }

  function scan(text, keys) {
    const code = text.trim();
    if (!code) return;
    if (!isCode(code, keys)) return lookUp(code, keys);
    // If the same ticket is scanned again before it was decided, that is the same scan.
    const same = waiting.find((it) => it.code === code && (it.keys === keys || !it.keys || !keys));
    newest = same?.id ?? newId();
    if (!same) {
      const { event, gate } = form.elements;
      waiting.push({ id: newest, code, keys, event: event.value, gate: gate.value, at: Date.now(), isLate: false });
      store.save(waiting.at(-1));
    } else if (same.isLate) {
      sayLate(same, WORDS.offline);
    }
    drain();
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const code = field.value;
    field.value = "";
    field.removeAttribute("aria-invalid");
    scan(code, form.dataset.keys ?? "");
    form.dataset.keys = "";
    focus();
  });
  document.addEventListener("check-in:code", (event) => scan(event.detail.code, ""));

  // htmx sends the forms that undo an admission and those that admit a ticket from the list.
  const isOurs = (event) => event.detail?.ctx?.sourceElement?.matches?.("[data-answers]");
  document.addEventListener("htmx:finally:request", (event) => {
    if (!isOurs(event)) return;
    answeredAt = performance.now();
    const status = event.detail.ctx.response?.status ?? 0;
    if (status === 0 || status === 429 || status >= 500) say(status === 0 ? WORDS.offline : WORDS.busy);
    answered(status, "");
  });

  // A poll that began before the newest answer may not know of it, so what it says is not shown.
  const isTurnout = (event) => event.detail?.ctx?.sourceElement?.id === "turnout";
  document.addEventListener("htmx:before:request", (event) => {
    if (isTurnout(event)) event.detail.ctx.begunAt = performance.now();
  });
  document.addEventListener("htmx:before:swap", (event) => {
    if (isTurnout(event) && event.detail.ctx.begunAt < answeredAt) event.preventDefault();
  });

  // If a poll works, the network is back. If a poll finds no gate, the gate's link is no longer valid.
  document.addEventListener("htmx:after:request", (event) => {
    if (!isTurnout(event)) return;
    const { status } = event.detail.ctx.response;
    if (status === 200 && waiting.length > 0) drain();
    if (status === 404 || status === 410) location.reload();
  });
  window.addEventListener("online", drain);

  if (waiting.length > 0) {
    for (const scan of waiting) scan.isLate = true;
    showWaiting();
    drain();
  }
})();
