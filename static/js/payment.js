// The page of held tickets. It counts down to the end of the buyer's time, says so to a screen reader only at 5 and at
// 1 minute, asks the server when the time is over, and goes on to the page to pay on as soon as that is there.
(() => {
  const SAID_MINUTES = [5, 1];
  let endsAt = 0;
  let lastLeft = Infinity;
  let step = "";

  const place = () => document.getElementById("payment");
  const padded = (n) => String(n).padStart(2, "0");

  // The server says how much is left: the browser's own clock may be wrong.
  function read() {
    const { left, stage: now } = place()?.dataset ?? {};
    if (left === undefined) return;
    endsAt = performance.now() + 1000 * Number(left);
    // More time was given, or the page is new: what was said already is not said again.
    lastLeft = Math.max(Number(left), 0);
    const link = document.querySelector("[data-pay]");
    // Only from the waiting on: who comes back with the browser's button wants to stay.
    if (step === "waiting" && now === "open" && link) location.assign(link.href);
    step = now;
    show();
  }

  function show() {
    const shown = document.querySelector("[data-left-shown]");
    if (!shown) return;
    const left = Math.max(Math.ceil((endsAt - performance.now()) / 1000), 0);
    shown.textContent = left > 0 ? `${Math.floor(left / 60)}:${padded(left % 60)} left` : "";
    for (const minutes of SAID_MINUTES) {
      if (lastLeft > 60 * minutes && left <= 60 * minutes && left > 0) {
        const words = `${minutes} ${minutes === 1 ? "minute" : "minutes"} left to pay.`;
        document.querySelector("[data-left-said]").textContent = words;
      }
    }
    if (left === 0 && lastLeft > 0) htmx.trigger(place(), "poll");
    lastLeft = left;
  }

  setInterval(show, 1000);
  document.addEventListener("htmx:finally:request", read);
  document.addEventListener("DOMContentLoaded", read);
  // The page may come from the browser's memory, with the time of then.
  window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
})();
