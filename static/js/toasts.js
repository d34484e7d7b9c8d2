// css/toasts.css times toasts, and pauses while one is hovered or focused. This script removes them when
// their time is over, lets them be dismissed, and makes one when a request failed without an answer that
// can be shown in place. The form keeps its request key then, so trying again is safe.
// [data-answers] forms show their own failures.
(() => {
  document.addEventListener("animationend", (event) => {
    if (event.animationName === "toast-life") event.target.closest("[data-toast]")?.remove();
  });
  document.addEventListener("click", (event) => {
    event.target.closest("[data-toast-dismiss]")?.closest("[data-toast]").remove();
  });

  const WORDS = {
    403: "Request blocked. Reload the page and try again.",
    404: "No longer on sale. Reload the page.",
    413: "That’s too long. Shorten what you typed and try again.",
    503: "We’re very busy and couldn’t confirm this yet. Try again: you won’t be booked twice.",
    500: "Something went wrong. Try again: you won’t be booked twice.",
    0: "We couldn’t reach the server. Check your connection and try again: you won’t be booked twice.",
  };

  const wordsFor = (status) => WORDS[status] ?? (status >= 500 ? WORDS[500] : null);

  // A rate-limited visitor waits as long as Retry-After says. The toast stays for that time, and a second one says when it is over.
  function tooOften(response) {
    const seconds = Number(response.headers.get("Retry-After")) || 1;
    const wait = seconds > 1 ? `${seconds} seconds` : "a moment";
    const toast = failure(`Too many attempts from your network. Wait ${wait} and try again. Your details are still here.`);
    toast.classList.add("toast--stays");
    setTimeout(() => toast.isConnected && failure("You can try again now."), 1000 * Math.min(seconds, 3600));
  }

  function failure(text) {
    const place = document.querySelector("dialog[open] .toasts") ?? document.querySelector("#toasts");
    const toast = document.createElement("div");
    toast.className = "toast toast--failure";
    toast.dataset.toast = "";
    const words = document.createElement("p");
    words.textContent = text;
    const dismiss = document.createElement("button");
    dismiss.type = "button";
    dismiss.className = "toast__dismiss";
    dismiss.dataset.toastDismiss = "";
    dismiss.setAttribute("aria-label", "Dismiss message");
    dismiss.textContent = "×";
    toast.append(words, dismiss);
    place.replaceChildren(toast);
    return toast;
  }

  function tell(event, response) {
    const source = event.detail?.ctx?.sourceElement;
    if (!source || source.matches?.("[data-polls], [data-answers]")) return;
    const words = wordsFor(response.status);
    if (response.status === 429) tooOften(response);
    else if (words) failure(words);
  }

  document.addEventListener("htmx:error", (event) => tell(event, { status: 0 }));
  document.addEventListener("htmx:response:error", (event) => tell(event, event.detail.ctx.response));
})();
