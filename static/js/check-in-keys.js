// A handheld scanner is a keyboard. What it types goes into the gate's field wherever the focus is, and its last key
// sends, be it Enter or Tab. [data-keys] of the form gets the keys as an American keyboard has them, which is what a
// scanner presses: a device that is set to another layout makes other letters of them.
(() => {
  const CODE_LENGTH = 20;
  const form = document.querySelector("[data-check-in]");
  const field = form.elements.code;

  const isPrintable = (event) => event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey;
  const takesText = (element) => element.matches?.("input:not([type=hidden]), textarea, select") && element !== field;

  // "KeyZ" is Z, "Digit2" is 2, and everything else is a sign between the groups of a code.
  const keyOf = (code) => /^(?:Key|Digit|Numpad)([A-Z0-9])$/.exec(code)?.[1] ?? "-";

  const isWholeCode = () => field.value.replace(/[^\p{L}\p{N}]/gu, "").length >= CODE_LENGTH;

  document.addEventListener("keydown", (event) => {
    if (takesText(event.target)) return;
    if (isPrintable(event)) {
      const isSpaceOnButton = event.key === " " && event.target !== field;
      if (isSpaceOnButton) return;
      if (event.target !== field) field.focus();
      if (!field.value) form.dataset.keys = "";
      form.dataset.keys = (form.dataset.keys ?? "") + keyOf(event.code);
      return;
    }
    if (event.target !== field) return;
    if (event.key === "Backspace" || event.key === "Delete") form.dataset.keys = "";
    const isTab = event.key === "Tab" && !event.shiftKey && isWholeCode();
    // Line feed and carriage return of scanners that type them as control characters.
    const isLineBreak = event.ctrlKey && (event.code === "KeyJ" || event.code === "KeyM");
    if (isTab || isLineBreak) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  field.addEventListener("paste", () => (form.dataset.keys = ""));
})();
