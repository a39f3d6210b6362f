// What waits for a person's answer, on the first pages: what the co-operative asks about lots, and lots of which two phones wrote
// one field differently.
import { html } from "../lib/preact-htm.js";
import { t } from "../words.js";
import { namedDay } from "./figures.js";
import { productName, useCall, usePhone } from "./phone.js";
import { Icon } from "./pictures.js";
import { go } from "./route.js";

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
  return html`${split?.count > 0 && html`<a class="banner to-answer" href="#/harvest?only=conflicts" onClick=${settle}><${Icon} name="split" />
    <span><strong>${t("conflicts-wait", { n: split.count })}</strong> ${lot ? `${productName(lot.product)} · ${namedDay(lot.day, state.today)}` : ""}</span><${Icon} name="next" /></a>`}
    ${value?.open > 0 && html`<div class="banner" role="note"><${Icon} name="ask" /><div><strong>${t("coop-asks")}</strong> ${t("coop-asks-more", { n: value.open })}</div>
    <button type="button" class="small" onClick=${() => go("/questions")}>${t("answer")}</button></div>`}`;
}
