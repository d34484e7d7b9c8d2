// Plays a sound and vibrates for each answer at a gate: two rising notes for an admission, two low notes for a
// refusal, one note for an unclear answer, and the same note twice for a scan that waits. The sound can be turned
// off, and the device remembers that.
(() => {
  const NOTES = {
    admitted: [[880, 0, 0.09], [1320, 0.1, 0.14]],
    refused: [[220, 0, 0.18], [160, 0.2, 0.3]],
    unclear: [[440, 0, 0.2]],
    waiting: [[440, 0, 0.12], [440, 0.2, 0.12]],
  };
  const BUZZ = { admitted: 60 };
  const BUZZ_OTHERS = [120, 80, 120];
  const NAME = "check-in sound";

  const toggle = document.querySelector("[data-sound-toggle]");
  let context = null;
  let isOn = true;
  try {
    isOn = localStorage.getItem(NAME) !== "off";
  } catch {
    // The browser refuses access to its storage: the sound stays on.
  }

  function show() {
    toggle.setAttribute("aria-pressed", String(isOn));
    toggle.querySelector("[data-sound-words]").textContent = isOn ? "on" : "off";
  }

  // Browsers let a page play sound only after somebody has touched it or pressed a key.
  function wake() {
    if (!isOn || !window.AudioContext) return;
    context ??= new AudioContext();
    if (context.state === "suspended") context.resume();
  }

  function play(tone) {
    wake();
    if (!context || context.state !== "running") return;
    for (const [pitch, start, length] of NOTES[tone] ?? NOTES.unclear) {
      const [note, volume] = [context.createOscillator(), context.createGain()];
      const from = context.currentTime + start;
      note.type = tone === "refused" ? "square" : "sine";
      note.frequency.value = pitch;
      volume.gain.setValueAtTime(0.25, from);
      volume.gain.exponentialRampToValueAtTime(0.001, from + length);
      note.connect(volume).connect(context.destination);
      note.start(from);
      note.stop(from + length);
    }
  }

  document.addEventListener("check-in:answered", ({ detail }) => {
    if (isOn) play(detail.tone);
    navigator.vibrate?.(BUZZ[detail.tone] ?? BUZZ_OTHERS);
  });
  for (const touch of ["pointerdown", "keydown"]) document.addEventListener(touch, wake, { passive: true });
  toggle.addEventListener("click", () => {
    isOn = !isOn;
    show();
    try {
      localStorage.setItem(NAME, isOn ? "on" : "off");
    } catch {
      // The browser stores nothing: the sound is on again the next time the page is opened.
    }
  });
  document.querySelector("[data-tools]").hidden = false;
  show();
})();
