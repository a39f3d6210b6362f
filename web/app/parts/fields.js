// Fields that several pages ask for.
import { html, useState } from "../lib/preact-htm.js";
import { t } from "../words.js";
import { dayBefore, namedDay } from "./figures.js";
import { Sheet } from "./sheet.js";

const DAYS_NEAR = 7;

/** A day: the last week in words, one tap each; any other by the phone's own calendar. */
export function DayField({ day, today, onDay }) {
  const [other, setOther] = useState(day);
  const near = [today];
  while (near.length < DAYS_NEAR) near.push(dayBefore(near.at(-1)));
  return html`
    <ul class="day-list">${near.map((one) => html`<li key=${one}><button type="button" class="chip" aria-pressed=${String(one === day)} onClick=${() => onDay(one)}>${namedDay(one, today)}</button></li>`)}</ul>
    <label class="field" for="other-day"><span>${t("any-day")}</span>
      <input id="other-day" type="date" value=${other} onInput=${(event) => setOther(event.target.value)} /></label>
    <button type="button" class="main" disabled=${!other} onClick=${() => onDay(other)}>${other ? t("take-day", { day: namedDay(other, today) }) : t("take-day-none")}</button>`;
}

export const DaySheet = ({ day, today, onDay, onClose }) => html`<${Sheet} title=${t("which-day")} onClose=${onClose}>
  <${DayField} day=${day} today=${today} onDay=${onDay} /><//>`;
