// [data-dialog]: opens when something is swapped into its [data-dialog-content], and closes by its
// buttons, by Escape, or by a click beside it (closedby; by script where the browser lacks it). While it shows a booking, the address is the booking's.
(() => {
  let addressBehind = null;

  function focusIn(dialog) {
    const invalid = dialog.querySelector("[aria-invalid=true]");
    const wanted = invalid ?? dialog.querySelector("[data-focus], [autofocus]") ?? dialog.querySelector("h1, h2");
    wanted?.focus();
    if (invalid) invalid.select?.();
  }

  document.addEventListener("htmx:after:swap", (event) => {
    const dialog = document.querySelector("[data-dialog]");
    const content = dialog?.querySelector("[data-dialog-content]");
    const target = event.detail?.ctx?.target;
    const into = typeof target === "string" ? document.querySelector(target) : target;
    const booked = into?.querySelector?.("[data-booked]");
    // Without a dialog, go to the booking's own page, so that a reload never books again.
    if (booked && !dialog) return location.replace(booked.dataset.booked);
    if (!content || into !== content || !content.firstElementChild) return;
    if (!dialog.open) {
      addressBehind = location.href;
      dialog.showModal();
      // The browser remembers how far it was scrolled when it closed.
      dialog.scrollTop = 0;
    }
    if (booked) history.replaceState(history.state, "", booked.dataset.booked);
    focusIn(dialog);
  });

  document.addEventListener("click", (event) => {
    const dialog = event.target.closest("dialog[data-dialog]");
    if (!dialog?.open) return;
    const close = event.target.closest("[data-dialog-close]");
    if (close || (event.target === dialog && !("closedBy" in dialog))) {
      event.preventDefault();
      dialog.close();
    }
  });

  document.addEventListener("close", (event) => {
    if (!event.target.matches?.("[data-dialog]")) return;
    event.target.querySelector("[data-dialog-content]").replaceChildren();
    event.target.querySelector(".toasts").replaceChildren();
    if (addressBehind) history.replaceState(history.state, "", addressBehind);
  }, true);

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) window.print();
  });
})();
