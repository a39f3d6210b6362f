// A number pad of the app's own, with big digits: the keyboard of a phone covers half of it and has small ones. The figure is a
// real field, so that a keyboard, a voice and a screen reader can use it; `inputmode="none"` keeps the phone's own pad away.
import { html, useLayoutEffect, useRef } from "../lib/preact-htm.js";
import { t } from "../words.js";
import { buzz } from "./say.js";
import { Icon } from "./pictures.js";

const LENGTH_MAX = 12;
const POINT_AT = 9;
/** From more letters than these on, the figure is written smaller, so that all of it is seen. */
const LONG = [4, 5, 8];
const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", ".", "0", "erase"];

/** The figure after a key. A second point, and a zero before another digit, are not written; in a PIN each zero counts. */
export function afterKey(text, key, isPin = false) {
  if (key === "erase") return [...text].slice(0, -1).join("");
  if (isPin) return text + key;
  if (key === "." && text.includes(".")) return text;
  if (key === "." && text === "") return "0.";
  if (text === "0" && key !== ".") return key;
  return text.length >= LENGTH_MAX ? text : text + key;
}

/** The first digit takes the place of a `fresh` figure, which nobody has typed. */
export function NumberPad({ text, onText, whole = false, fresh = false }) {
  const press = (key) => { buzz(8); onText(afterKey(fresh && key !== "erase" ? "" : text, key, whole)); };
  return html`<div class="pad" role="group" aria-label=${t("number-pad")}
      onKeyDown=${(event) => { if (/^[0-9.]$/.test(event.key)) { event.preventDefault(); press(event.key); } if (event.key === "Backspace") press("erase"); }}>
    ${KEYS.map((key, index) => (whole && index === POINT_AT ? html`<span key="none"></span>` : html`<button key=${key} type="button" class=${key === "erase" ? "erase" : ""}
      aria-label=${key === "erase" ? t("erase") : key === "." ? t("point") : undefined}
      onClick=${() => press(key)}>${key === "erase" ? html`<${Icon} name="erase" />` : key}</button>`))}
  </div>`;
}

/** The figure itself, big, with its unit. */
export function Figure({ id, label, text, onText, onEnter, unit, invalid, focus, describedBy }) {
  const field = useRef(null);
  useLayoutEffect(() => { if (focus) field.current.focus({ preventScroll: true }); }, []);
  const enter = (event) => { if (event.key === "Enter" && onEnter) { event.preventDefault(); onEnter(); } };
  return html`<div class=${`figure ${invalid ? "invalid" : ""}`}>
    <label for=${id}>${label}</label>
    <input id=${id} ref=${field} type="text" inputmode="none" autocomplete="off" maxlength=${LENGTH_MAX + 8} value=${text} placeholder="0"
      aria-invalid=${invalid ? "true" : undefined} aria-describedby=${describedBy} data-long=${LONG.filter((letters) => text.length > letters).length || undefined}
      onInput=${(event) => onText(event.target.value)} onKeyDown=${enter} />
    ${unit}
  </div>`;
}
