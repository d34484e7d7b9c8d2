// A page that says "try again". If a form was sent, [data-retry] goes back to that form, which the browser has kept
// as it was filled in; otherwise it reloads the page. [data-retry-after] counts down the seconds until that may
// succeed. If no form was sent, the page then reloads by itself.
(() => {
  const KEY = "posted";
  const button = document.querySelector("[data-retry]");

  // Some browsers refuse to store anything.
  function stored(act) {
    try {
      return act(sessionStorage);
    } catch {
      return null;
    }
  }

  const posted = stored((storage) => storage.getItem(KEY));
  stored((storage) => storage.removeItem(KEY));
  document.addEventListener("submit", ({ target: form, submitter, defaultPrevented }) => {
    const method = submitter?.getAttribute("formmethod") ?? form.getAttribute("method");
    if (defaultPrevented || method !== "post") return;
    const action = submitter?.getAttribute("formaction") ?? form.getAttribute("action") ?? "";
    stored((storage) => storage.setItem(KEY, new URL(action, location.href).href));
  });
  if (!button) return;

  const wasForm = posted === location.href;
  const retry = () => (wasForm ? history.back() : location.reload());
  button.addEventListener("click", retry);

  const wait = document.querySelector("[data-retry-after]");
  if (!wait) return;
  let left = Number(wait.dataset.retryAfter);
  const timer = setInterval(() => {
    left -= 1;
    if (left > 0) {
      wait.textContent = `Try again in ${left} second${left === 1 ? "" : "s"}.`;
      return;
    }
    clearInterval(timer);
    wait.textContent = "You can try again now.";
    if (!wasForm) retry();
  }, 1000);
})();
