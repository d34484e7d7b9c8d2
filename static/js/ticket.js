// A page of tickets. The service worker (offline.js) keeps a page with [data-offline] in this browser only, so that
// it opens without a network. While a QR code is visible, the screen stays on.
(() => {
  const WORKER = "/offline.js";

  async function keep() {
    // Without a controller this page did not come through the worker, so the worker has no copy of it yet.
    const isKept = Boolean(navigator.serviceWorker.controller);
    // The folder that contains the page: the worker handles no pages outside it.
    const scope = location.pathname.replace(/[^/]+$/, "");
    await navigator.serviceWorker.register(WORKER, { scope });
    const { active } = await navigator.serviceWorker.ready;
    if (!isKept) active.postMessage({ keep: location.pathname });
  }

  if (document.querySelector("[data-offline]") && "serviceWorker" in navigator) keep().catch(() => {});

  const codes = document.querySelectorAll(".ticket__qr");
  const inSight = new Set();
  let lock = null;
  let isAsking = false;

  async function light() {
    const isWanted = inSight.size > 0 && !document.hidden;
    if (!isWanted) {
      lock?.release();
      lock = null;
    } else if (!lock && !isAsking) {
      isAsking = true;
      lock = await navigator.wakeLock.request("screen").catch(() => null);
      lock?.addEventListener("release", () => { lock = null; });
      isAsking = false;
    }
  }

  if (codes.length > 0 && "wakeLock" in navigator) {
    const watcher = new IntersectionObserver((seen) => {
      for (const { target, isIntersecting } of seen) inSight[isIntersecting ? "add" : "delete"](target);
      light();
    }, { threshold: 0.5 });
    codes.forEach((code) => watcher.observe(code));
    // The browser releases the wake lock of a hidden page, so ask for it again when the page is visible.
    document.addEventListener("visibilitychange", light);
  }
})();
