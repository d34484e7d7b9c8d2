// A handheld scanner acts as a keyboard. Its characters go into the gate's field wherever the focus is, and its last
// key, Enter or Tab, sends the form. The form's [data-keys] gets the keys by their places on an American keyboard,
// because a scanner presses those: a device with another layout or an input method turns them into other letters.
(() => {
  const CODE_LENGTH = 20;
  const form = document.querySelector("[data-check-in]");
  const field = form.elements.code;
  let isToSend = false;

  // "Process": an input method handles the key. "Dead": an accent that waits for its letter.
  const isTyped = (event) =>
    (event.key.length === 1 || event.key === "Dead" || (event.key === "Process" && isCharacter(event.code))) &&
    !event.ctrlKey && !event.metaKey && !event.altKey;
  const takesText = (element) => element.matches?.("input:not([type=hidden]), textarea, select") && element !== field;

  // "KeyZ" is Z, "Digit2" is 2, and everything else is a sign between the groups of a code.
  const KEY = /^(?:Key|Digit|Numpad)([A-Z0-9])$/;
  const keyOf = (code) => KEY.exec(code)?.[1] ?? "-";
  const isCharacter = (code) => KEY.test(code) || /^(?:Minus|Equal|Bracket|Semicolon|Quote|Back|Comma|Period|Slash|Intl)/.test(code);
  const isEnd = (code) => code === "Enter" || code === "NumpadEnter" || code === "Tab";

  const count = (text, others) => text.replace(others, "").length;
  const isWholeCode = () =>
    count(form.dataset.keys ?? "", /-/g) >= CODE_LENGTH || count(field.value, /[^\p{L}\p{N}]/gu) >= CODE_LENGTH;

  document.addEventListener("keydown", (event) => {
    if (takesText(event.target)) return;
    if (isTyped(event)) {
      const isSpaceOnButton = event.key === " " && event.target !== field;
      if (isSpaceOnButton) return;
      if (event.target !== field) field.focus();
      if (!field.value) form.dataset.keys = "";
      form.dataset.keys = (form.dataset.keys ?? "") + keyOf(event.code);
      return;
    }
    if (event.target !== field) return;
    if (event.key === "Backspace" || event.key === "Delete") form.dataset.keys = "";
    // An input method uses the scanner's last key to end the word that it composes, so the key does not send the
    // form.
    if (event.key === "Process") {
      isToSend = isEnd(event.code) && isWholeCode();
      return;
    }
    const isTab = event.key === "Tab" && !event.shiftKey && isWholeCode();
    // Some scanners type a line feed or a carriage return as a control character: Ctrl+J or Ctrl+M.
    const isLineBreak = event.ctrlKey && (event.code === "KeyJ" || event.code === "KeyM");
    if (isTab || isLineBreak) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  field.addEventListener("compositionend", () => {
    if (!isToSend) return;
    isToSend = false;
    // The composed word is in the field only after this event.
    setTimeout(() => form.requestSubmit());
  });
  field.addEventListener("paste", () => (form.dataset.keys = ""));
})();
