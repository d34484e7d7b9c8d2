// The page of held tickets. It counts down to the end of the hold; a screen reader hears the time left only at 5
// minutes and at 1 minute. When the time is over, the page asks the server. When the payment page is ready, the browser
// goes there, if the buyer has asked for it (#pay in the address).
(() => {
  const SAID_MINUTES = [5, 1];
  // The server's seconds and the browser's differ by at most this, unless the server has given more time.
  const SAME_SECONDS = 3;
  let endsAt = 0;
  let lastLeft = 0;
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
    // The count begins again on a new page, and when the server has given more time. Other polls keep it, so that a time
    // that passes during a poll is said too.
    if (lastLeft === 0 || Number(left) > lastLeft + SAME_SECONDS) lastLeft = Math.max(Number(left), 0);
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
    lastLeft = Math.min(lastLeft, left);
  }

  setInterval(show, 1000);
  // After a poll that failed, the page still has an old time left.
  document.addEventListener("htmx:after:swap", ({ detail }) => {
    if (detail.ctx.response?.status === 200) read();
  });
  document.addEventListener("DOMContentLoaded", read);
  // The browser may show this page from its back/forward cache, with an old time left.
  window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
})();
