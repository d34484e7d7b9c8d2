// Toasts go by themselves (css/toasts.css times them, and waits while one is hovered or focused). Here
// they are removed when that is over, dismissed by hand, and made when no answer came from the server.
(() => {
  document.addEventListener("animationend", (event) => {
    if (event.animationName === "toast-life") event.target.closest("[data-toast]")?.remove();
  });
  document.addEventListener("click", (event) => {
    event.target.closest("[data-toast-dismiss]")?.closest("[data-toast]").remove();
  });

  const FAILED = "No answer came from the server. Trying again is safe: you will not be booked twice.";

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
  }

  document.addEventListener("htmx:error", (event) => {
    const source = event.detail?.ctx?.sourceElement;
    if (source && !source.matches?.("[data-polls]")) failure(FAILED);
  });
})();
