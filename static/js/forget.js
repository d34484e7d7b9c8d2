// form[action="/buyer/forget"]: this browser also deletes the tickets that it keeps for use without a network.
(() => {
  const CACHE = "tickets";
  const WAIT_MS = 1000;

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.getAttribute("action") !== "/buyer/forget" || !self.caches) return;
    event.preventDefault();
    const waited = new Promise((resolve) => setTimeout(resolve, WAIT_MS));
    Promise.race([caches.delete(CACHE), waited]).catch(() => {}).finally(() => form.submit());
  });
})();
