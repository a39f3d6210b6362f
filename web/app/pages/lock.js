// The lock: nothing of the harvest is in the page until the PIN was right. The draft behind it is kept, and the phone goes on
// sending behind it.
import { core } from "../core.js";
import { html, useEffect, useRef, useState } from "../lib/preact-htm.js";
import { t } from "../words_more.js";
import { NumberPad } from "../parts/numberpad.js";
import { refresh } from "../parts/phone.js";
import { Sign } from "../parts/pictures.js";
import { buzz } from "../parts/say.js";
import { Sheet } from "../parts/sheet.js";
import { profileName, switchTo, useProfiles } from "./people.js";

export const PIN_LENGTH = 4;
const SECOND_MS = 1000;

/** The digits as dots over a real field, which keyboards and screen readers use. */
export function PinDots({ typed, onText, label }) {
  const field = useRef(null);
  useEffect(() => { field.current.focus({ preventScroll: true }); }, []);
  return html`<div class="dots"><label class="heard" for="pin">${label}</label>
    <input id="pin" ref=${field} type="password" inputmode="none" autocomplete="off" maxlength=${PIN_LENGTH} value=${typed} onInput=${(event) => onText(event.target.value)} />
    <span aria-hidden="true">${Array.from({ length: PIN_LENGTH }, (_, index) => html`<i class=${index < typed.length ? "full" : ""}></i>`)}</span></div>`;
}

// Another household on this phone has its own lock, or none.
function Others() {
  const others = useProfiles().filter((one) => one.id !== core.profile.id);
  return others.map((one) => html`<button key=${one.id} type="button" class="plain" onClick=${() => switchTo(one.id)}>${t("switch-to", { name: profileName(one) })}</button>`);
}

export function Lock() {
  const [typed, setTyped] = useState("");
  const [said, setSaid] = useState("");
  const [forgot, setForgot] = useState(false);
  useEffect(() => { document.title = t("app"); }, []);
  async function onText(text) {
    const digits = text.replace(/\D/g, "").slice(0, PIN_LENGTH);
    setTyped(digits);
    setSaid("");
    if (digits.length < PIN_LENGTH) return;
    const { ok, waitMillis } = await core.unlock(digits);
    setTyped("");
    if (ok) { refresh(); return; }
    buzz(120);
    setSaid(waitMillis > 0 ? t("pin-wait", { n: Math.ceil(waitMillis / SECOND_MS) }) : t("pin-wrong"));
  }
  // Clearing the site's data takes the others' records too.
  const waiting = useProfiles().reduce((sum, one) => sum + (one.unsent ?? 0), 0);
  return html`<div class="lock"><main>
    <${Sign} /><h1>${t("pin-enter")}</h1>
    <${PinDots} typed=${typed} onText=${onText} label=${t("pin-enter")} />
    <p role="status" class="fault-line">${said}</p>
    <${NumberPad} text=${typed} onText=${onText} whole=${true} />
    <button type="button" class="plain" onClick=${() => setForgot(true)}>${t("pin-forgot")}</button>
    <${Others} />
    ${forgot && html`<${Sheet} title=${t("pin-forgot")} onClose=${() => setForgot(false)}>
      <p>${t("pin-forgot-more")}</p>${waiting > 0 && html`<p><strong>${t("pin-forgot-waiting", { n: waiting })}</strong></p>`}
      <button type="button" class="main" onClick=${() => setForgot(false)}>${t("back")}</button><//>`}
  </main></div>`;
}
