// What the co-operative pays, what it has announced, and the way to what a household is owed.
import { core } from "../core.js";
import { html, useEffect } from "../lib/preact-htm.js";
import { t } from "../words_more.js";
import { day, money, price, shortDay } from "../parts/figures.js";
import { Page } from "../parts/frame.js";
import { nameOf, useCall, usePhone } from "../parts/phone.js";
import { Crop, Icon } from "../parts/pictures.js";
import { go } from "../parts/route.js";
import { AsOf } from "./status.js";

/** For each grade, the price that holds on a day, and the next one that is known: `[{grade, now, next}]`. */
export function pricesOn(prices, today) {
  const grades = [...new Set(prices.map((one) => one.grade))];
  return grades.map((grade) => {
    const known = prices.filter((one) => one.grade === grade).sort((a, b) => (a.from ?? "").localeCompare(b.from ?? ""));
    const last = known.filter((one) => (one.from ?? "") <= today).at(-1) ?? null;
    // One that was ended holds on its last day and not after it.
    const now = last && (last.until ?? today) >= today ? last : null;
    const next = known.find((one) => (one.from ?? "") > today) ?? null;
    return { grade, now, next };
  }).filter(({ now, next }) => now || next);
}

function Product({ product, today }) {
  const rows = pricesOn(product.prices, today);
  return html`<li class="card price"><p class="price-name"><${Crop} code=${product.code} name=${nameOf(product)} /><strong>${nameOf(product)}</strong></p>
    ${rows.length === 0 ? html`<p class="soft">${t("no-price-yet")}</p>` : html`<dl>${rows.map(({ grade, now, next }) => {
      const shown = now && price(now.fen);
      const later = next && price(next.fen);
      return html`<div key=${grade}><dt>${grade ? t("grade-of", { grade }) : t("grade-any")}</dt>
        <dd>${shown ? html`<strong>${shown.amount}</strong> <span class="soft">${shown.per}</span>` : html`<span class="soft">${t("no-price-yet")}</span>`}
        ${later && html`<br /><span class="soft">${t("price-from", { day: shortDay(next.from), price: later.amount })}</span>`}</dd></div>`;
    })}</dl>`}
  </li>`;
}

function OwedCard() {
  const { value } = useCall("owed", {});
  return html`<a class="owed-card" href="#/owed" onClick=${(event) => { event.preventDefault(); go("/owed"); }}>
    <span><span class="owed-word">${t("owed-so-far")}</span><strong>${value ? money(value.fen) : " "}</strong></span><${Icon} name="next" /></a>`;
}

export function Prices() {
  const { catalogue, state, status } = usePhone();
  const latest = catalogue.announcements[0]?.text;
  useEffect(() => { if (latest && core.kept.heard !== latest) core.keep({ heard: latest }).catch(() => { /* Shown once more. */ }); }, [latest]);
  // Prices and receipts left a phone that was shut out: a sum without them would be untrue.
  if (status.revoked) return html`<${Page} title=${t("tab-prices")}><p class="empty">${t("revoked-no-prices")}</p><//>`;
  const offered = catalogue.products.filter((product) => product.offered !== false);
  const us = catalogue.cooperative ?? {};
  return html`<${Page} title=${t("tab-prices")}>
    <${AsOf} />
    ${state.household && html`<${OwedCard} />`}
    ${catalogue.announcements.length > 0 && html`<section><h2>${t("announcements")}</h2><ul class="announcements">
      ${catalogue.announcements.map((one, index) => html`<li key=${index} class="card"><p class="written">${one.text}</p>${one.day && html`<p class="soft">${day(one.day, state.today)}</p>`}</li>`)}</ul></section>`}
    <section><h2>${t("prices-today")}</h2>
      ${offered.length === 0 ? html`<p class="empty">${t("no-products-yet")}</p>`
        : html`<ul class="prices">${offered.map((product) => html`<${Product} key=${product.code} product=${product} today=${state.today} />`)}</ul>`}
      <p class="soft">${t("prices-help")}</p></section>
    ${(us.phone || us.address || us.about) && html`<section><h2>${state.cooperative}</h2><div class="card">
      ${us.phone && html`<p><a href=${`tel:${us.phone.replace(/[^0-9+]/g, "")}`}>${us.phone}</a></p>`}
      ${us.address && html`<p>${us.address}</p>`}
      ${us.about && html`<p class="written">${us.about}</p>`}</div></section>`}
  <//>`;
}
