// time[data-opens] is the time at which sales open. The [data-countdown] beside it shows how long that takes, and at
// that time the page asks for the tickets. The countdown uses the server's clock, which it reads from the Date header
// of the answers. That Date is never ahead of the clock, so the estimate that is furthest ahead is the best one.
(() => {
  const MINUTE = 60;
  const HOUR = 60 * MINUTE;
  const DAY = 24 * HOUR;
  // All browsers count down to the same second; a random delay spreads their requests.
  const SPREAD_MS = 800;
  // How many times in a row to ask while the answers still say that sales are closed. After that the usual polls are
  // enough.
  const ASKS_MAX = 5;
  let ahead = null;
  let asks = 0;
  let timer;

  const counted = (n, unit) => `${n} ${unit}${n === 1 ? "" : "s"}`;
  const padded = (n) => String(n).padStart(2, "0");

  function words(seconds) {
    const hours = Math.floor((seconds % DAY) / HOUR);
    const minutes = Math.floor((seconds % HOUR) / MINUTE);
    if (seconds >= DAY) return `Opens in ${counted(Math.floor(seconds / DAY), "day")} ${hours} h`;
    if (seconds >= HOUR) return `Opens in ${hours} h ${padded(minutes)} min`;
    return seconds > 0 ? `Opens in ${padded(minutes)}:${padded(seconds % MINUTE)}` : "Opening…";
  }

  // Shows the time left everywhere. Returns whether any of the times has come.
  function show() {
    const now = performance.now() + ahead;
    let isDue = false;
    for (const time of document.querySelectorAll("[data-opens]")) {
      const left = Date.parse(time.dateTime) - now;
      const text = words(Math.ceil(left / 1000));
      const place = time.closest("[data-opening]").querySelector("[data-countdown]");
      if (place.textContent !== text) place.textContent = text;
      isDue ||= left <= 0;
    }
    return isDue;
  }

  // Runs once a second, so the requests at the opening are spread over several seconds.
  function count() {
    const isDue = show();
    if (!isDue) asks = 0;
    if (isDue && asks < ASKS_MAX) {
      asks += 1;
      setTimeout(ask, Math.random() * SPREAD_MS);
    }
    const wait = 1000 - ((performance.now() + ahead) % 1000);
    timer = document.querySelector("[data-opens]") ? setTimeout(count, wait) : undefined;
  }

  // Triggers "opens", not "poll": only a poll may be answered from the browser's cache (see polling.js), and a cached
  // answer from a moment ago would still say that sales are closed.
  function ask() {
    document.querySelectorAll("[data-polls]:has([data-opens])").forEach((it) => htmx.trigger(it, "opens"));
  }

  document.addEventListener("htmx:after:request", (event) => {
    const date = Date.parse(event.detail.ctx.response?.headers.get("Date"));
    if (date) ahead = Math.max(ahead ?? -Infinity, date - performance.now());
  });
  document.addEventListener("htmx:finally:request", () => {
    if (ahead === null) return;
    show();
    timer ?? count();
  });
  // A script cannot read the Date header of the page itself, so one request is made as soon as htmx is ready.
  document.addEventListener("htmx:after:process", ask, { once: true });
})();
