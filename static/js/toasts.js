// Toasts go by themselves (css/toasts.css times them, and waits while one is hovered or focused). Here
// they are removed when that is over, dismissed by hand, and made when the server sent no answer that
// could be shown in place. The form stays as it is then, with its key, so trying again is safe.
// [data-answers] says itself what its form came to.
(() => {
  document.addEventListener("animationend", (event) => {
    if (event.animationName === "toast-life") event.target.closest("[data-toast]")?.remove();
  });
  document.addEventListener("click", (event) => {
    event.target.closest("[data-toast-dismiss]")?.closest("[data-toast]").remove();
  });

  const WORDS = {
    403: "Your browser says that this came from another site, so nothing was changed. Please reload the page.",
    404: "This is no longer on sale. Please reload the page.",
    413: "That was too much to read. Please shorten what you typed.",
    503: "It is very busy right now, and we cannot confirm it yet. Trying again is safe: you will not be booked twice.",
    500: "Something broke backstage. Trying again is safe: you will not be booked twice.",
    0: "No answer came from the server. Trying again is safe: you will not be booked twice.",
  };

  const wordsFor = (status) => WORDS[status] ?? (status >= 500 ? WORDS[500] : null);

  // Who asks too often must wait, as long as the answer says: that stays to be read, and then its end is told.
  function tooOften(response) {
    const seconds = Number(response.headers.get("Retry-After")) || 1;
    const wait = seconds > 1 ? `${seconds} seconds` : "a moment";
    const toast = failure(`That was very fast, for you or for somebody who shares your connection. Please wait ${wait} and send it again: what you typed is still here.`);
    toast.classList.add("toast--stays");
    setTimeout(() => toast.isConnected && failure("You can send it again now."), 1000 * Math.min(seconds, 3600));
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
