// What waits for a person, on the first pages: what the co-operative asks about lots, lots of which two phones wrote one field
// differently, and an announcement that she has not seen.
import { core } from "../core.js";
import { html } from "../lib/preact-htm.js";
import { t } from "../words.js";
import { namedDay } from "./figures.js";
import { productName, tell, useCall, usePhone } from "./phone.js";
import { Icon } from "./pictures.js";
import { go } from "./route.js";

/** The latest announcement, until she has seen it. */
function News() {
  const { catalogue } = usePhone();
  const [latest] = catalogue.announcements;
  if (!latest || latest.text === core.kept.heard) return null;
  const heard = () => core.keep({ heard: latest.text }).then(() => tell(), () => { /* Shown again another time. */ });
  return html`<div class="banner" role="note"><${Icon} name="ask" /><div><strong>${t("announcements")}</strong> <span class="written">${latest.text}</span></div>
    <button type="button" class="small" onClick=${heard}>${t("done")}</button></div>`;
}

export function Asked() {
  const { state, split } = usePhone();
  const { value } = useCall("questions", { state: "open" });
  // Packers and coordinators see all questions; those of a household answer them.
  if (state.canReceive) return null;
  const lot = split?.count === 1 && split.rows[0];
  const settle = (event) => {
    event.preventDefault();
    go(lot ? `/lot/${lot.id}` : "/harvest?only=conflicts");
  };
  return html`<${News} />${split?.count > 0 && html`<a class="banner to-answer" href="#/harvest?only=conflicts" onClick=${settle}><${Icon} name="split" />
    <span><strong>${t("conflicts-wait", { n: split.count })}</strong> ${lot ? `${productName(lot.product)} · ${namedDay(lot.day, state.today)}` : ""}</span><${Icon} name="next" /></a>`}
    ${value?.open > 0 && html`<div class="banner" role="note"><${Icon} name="ask" /><div><strong>${t("coop-asks")}</strong> ${t("coop-asks-more", { n: value.open })}</div>
    <button type="button" class="small" onClick=${() => go("/questions")}>${t("answer")}</button></div>`}`;
}
