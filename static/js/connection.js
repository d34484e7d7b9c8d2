// .connection says quietly when the polls of polling.js fail, and when they work again.
(() => {
  const LOST = "Reconnecting… the numbers may be out of date.";

  function show(lost) {
    for (const place of document.querySelectorAll(".connection")) {
      const message = place.querySelector("[data-connection-message]");
      const text = lost ? LOST : "";
      place.classList.toggle("connection--lost", lost);
      if (message.textContent !== text) message.textContent = text;
    }
  }

  const isPoll = (event) => event.detail?.ctx?.sourceElement?.matches?.("[data-polls]");

  document.addEventListener("htmx:error", (event) => { if (isPoll(event)) show(true); });
  document.addEventListener("htmx:after:request", (event) => {
    if (!isPoll(event)) return;
    const { status } = event.detail.ctx.response;
    show(status >= 500 || status === 429);
  });
  window.addEventListener("offline", () => show(true));
})();
