// time[data-opens]: counts down, in the [data-countdown] beside it, to when sales open, and asks for the tickets
// when it has come. It goes by the server's clock: the Date of its answers, which is never ahead of it, so that
// the latest of them is the nearest.
(() => {
  const MINUTE = 60;
  const HOUR = 60 * MINUTE;
  const DAY = 24 * HOUR;
  // Who counts to the same second does not ask in the same moment.
  const SPREAD_MS = 800;
  // How often in a row, when the answer still says that it is not open; after that the usual polls will do.
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

  // Whether a time has come.
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

  // Once a second, so that the asks cover some seconds.
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

  // By this event and not by a poll's, so that no answer of the moment before counts as fresh.
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
  // The page's own Date is not to be seen by a script.
  document.addEventListener("htmx:after:process", ask, { once: true });
})();
