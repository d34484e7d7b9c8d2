// The page of held tickets. It counts down to the end of the hold; a screen reader hears the time left only at 5
// minutes and at 1 minute. When the time is over, the page asks the server. When the payment page is ready, the browser
// goes there, if the buyer has asked for it (#pay in the address).
(() => {
  const SAID_MINUTES = [5, 1];
  let endsAt = 0;
  let lastLeft = Infinity;
  let step = "";
  if (location.hash === "#pay") {
    step = "waiting";
    // A buyer who comes back with the browser's back button stays here.
    history.replaceState(history.state, "", location.pathname + location.search);
  }

  const place = () => document.getElementById("payment");
  const padded = (n) => String(n).padStart(2, "0");

  // The server says how many seconds are left, because the browser's own clock may be wrong.
  function read() {
    const { left, stage: now } = place()?.dataset ?? {};
    if (left === undefined) return;
    endsAt = performance.now() + 1000 * Number(left);
    // The page is new, or the server has given more time. Times that were said before are not said again.
    lastLeft = Math.max(Number(left), 0);
    const link = document.querySelector("[data-pay]");
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
  // The browser may show this page from its back/forward cache, with an old time left.
  window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
})();
