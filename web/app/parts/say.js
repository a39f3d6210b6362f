// What a screen reader is told without the focus moving, and what a cold hand feels.
let region = null;

/** Makes the place that is read out. It must be there, empty, before the first sentence. */
export function startSaying() {
  region = document.createElement("div");
  region.id = "said";
  region.className = "heard";
  region.setAttribute("aria-live", "polite");
  document.body.append(region);
}

export function say(sentence) {
  if (!region) return;
  region.textContent = "";
  requestAnimationFrame(() => { region.textContent = sentence; });
}

/** A short tap, where the phone can. */
export const buzz = (millis) => { try { navigator.vibrate?.(millis); } catch { /* Not this phone. */ } };
