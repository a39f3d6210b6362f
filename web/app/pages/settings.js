// Wishes of who holds the phone: language, size of letters, unit, and a lock.
import { core } from "../core.js";
import { html, useState } from "../lib/preact-htm.js";
import { t } from "../words_more.js";
import { Page } from "../parts/frame.js";
import { tell, usePhone } from "../parts/phone.js";
import { NumberPad } from "../parts/numberpad.js";
import { PIN_LENGTH, PinDots } from "./lock.js";
import { setSetting, settings } from "../parts/settings.js";
import { say } from "../parts/say.js";
import { Sheet } from "../parts/sheet.js";
import { Choice } from "../parts/tiles.js";

function NewPin({ onClose }) {
  const [first, setFirst] = useState("");
  const [typed, setTyped] = useState("");
  const [problem, setProblem] = useState("");
  async function onText(text) {
    const digits = text.replace(/\D/g, "").slice(0, PIN_LENGTH);
    setTyped(digits);
    setProblem("");
    if (digits.length < PIN_LENGTH) return;
    setTyped("");
    if (!first) { setFirst(digits); return; }
    if (first !== digits) { setFirst(""); setProblem(t("pin-differs")); return; }
    await core.setPin(digits);
    tell();
    say(t("pin-set"));
    onClose();
  }
  return html`<${Sheet} title=${t(first ? "pin-again" : "pin-new")} onClose=${onClose}>
    <p class="soft">${t("pin-what")}</p>
    <${PinDots} typed=${typed} onText=${onText} label=${t(first ? "pin-again" : "pin-new")} />
    <p role="status" class="fault-line">${problem}</p>
    <${NumberPad} text=${typed} onText=${onText} whole=${true} />
  <//>`;
}

export function Settings() {
  const { state } = usePhone();
  const [pin, setPin] = useState(false);
  const has = core.profile.hasPin;
  const dropPin = () => core.setPin(null).then(() => { say(t("pin-gone")); tell(); });
  return html`<${Page} title=${t("settings")} back="/status" tabs=${Boolean(state.enrolled)}>
    <div class="stack">
      <${Choice} name="language" legend="语言 Language" value=${settings.language} onChoose=${(code) => setSetting("language", code)} options=${[["zh", "中文"], ["en", "English"]]} />
      <${Choice} name="letters" legend=${t("letters")} value=${settings.large ? "large" : "usual"} onChoose=${(code) => setSetting("large", code === "large")} options=${[["usual", t("letters-usual")], ["large", t("letters-large")]]} />
      <${Choice} name="unit" legend=${t("unit")} value=${settings.unit} onChoose=${(code) => setSetting("unit", code)} options=${[["kg", t("unit-kg-long")], ["jin", t("unit-jin-long")]]} />
      ${state.enrolled && html`<fieldset class="choice"><legend>${t("lock")}</legend><p class="soft">${t(has ? "lock-on" : "lock-off")}</p>
        ${has ? html`<button type="button" class="second" onClick=${dropPin}>${t("pin-remove")}</button>`
          : html`<button type="button" class="second" onClick=${() => setPin(true)}>${t("pin-set-up")}</button>`}</fieldset>`}
    </div>
    ${pin && html`<${NewPin} onClose=${() => setPin(false)} />`}
  <//>`;
}
