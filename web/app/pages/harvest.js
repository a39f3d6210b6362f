// My harvest: what the season has brought by product, then the lots day by day, sixty a page, with a search. The core finds,
// counts and sums; the page draws what it is given.
import { html, useEffect, useState } from "../lib/preact-htm.js";
import { t } from "../words_more.js";
import { namedDay, weight } from "../parts/figures.js";
import { Fault, Page } from "../parts/frame.js";
import { LotLine } from "../parts/lotline.js";
import { productName, useCall, usePhone } from "../parts/phone.js";
import { Crop, Icon } from "../parts/pictures.js";
import { go, route } from "../parts/route.js";
import { settings } from "../parts/settings.js";

export const LOTS_A_PAGE = 60;
const SEARCH_AFTER_MS = 150;

export function Total({ total }) {
  const name = productName(total.product);
  return html`<li class="total"><${Crop} code=${total.product} name=${name} />
    <span class="total-what"><span>${name}</span><strong>${weight(total.recordedGrams)}</strong>
    <span class="soft">${t("lots-count", { n: total.lots })}${total.receivedGrams > 0 ? ` · ${t("total-weighed", { weight: weight(total.receivedGrams) })}` : ""}</span></span></li>`;
}

/** Lots under their days, in the order given. */
export function Days({ rows, showHousehold, today }) {
  const groups = [];
  for (const lot of rows) {
    if (groups.at(-1)?.day !== lot.day) groups.push({ day: lot.day, lots: [] });
    groups.at(-1).lots.push(lot);
  }
  const words = settings.language + settings.unit;
  return groups.map(({ day, lots }) => html`<section key=${`${day}/${lots[0].id}`} class="day">
    <h2>${namedDay(day, today)}</h2>
    <ul class="lots">${lots.map((lot) => html`<${LotLine} key=${lot.id} lot=${lot} href=${`/lot/${lot.id}`} words=${words} showHousehold=${showHousehold} />`)}</ul>
  </section>`);
}

export function Harvest() {
  const { state, status, catalogue } = usePhone();
  const { query } = route();
  const page = Math.max(1, Number(query.get("page")) || 1);
  const only = query.get("only") ?? "";
  const [typed, setTyped] = useState(query.get("search") ?? "");
  const [search, setSearch] = useState(typed);
  useEffect(() => {
    const timer = setTimeout(() => {
      if (typed === search) return;
      setSearch(typed);
      go(address({ search: typed, page: 1, only }), { replace: true });
    }, SEARCH_AFTER_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  // The name of a product finds its lots; what else is typed the core looks for.
  const wanted = search.trim().toLowerCase();
  const product = wanted && catalogue.products.find(({ nameZh, nameEn }) => [nameZh, nameEn].some((name) => name?.toLowerCase() === wanted));
  const filter = {
    ...(state.household && { household: state.household }), ...(product ? { product: product.code } : wanted && { search: search.trim() }),
    ...(only === "conflicts" ? { onlyConflicts: true } : only && { state: only }),
  };
  const { value, error } = useCall("lots", { ...filter, limit: LOTS_A_PAGE, offset: (page - 1) * LOTS_A_PAGE });
  const pages = value ? Math.max(1, Math.ceil(value.count / LOTS_A_PAGE)) : 1;
  const turn = (to) => { go(address({ search, page: to, only })); scrollTo(0, 0); };
  const filters = [["", "all"], ["recorded", "not-weighed"], ["received", "weighed"], ["rejected", "lot-rejected"], ["conflicts", "lot-in-conflict"]];
  return html`<${Page} title=${t(state.household ? "tab-harvest" : "tab-lots")}>
    ${value && page === 1 && !search && !only && html`
      <h2>${t("season", { year: state.season })}</h2>
      <ul class="totals">${value.totals.map((total) => html`<${Total} key=${total.product} total=${total} />`)}</ul>`}
    ${(value || error) && html`<div class="find">
      <label class="search" for="search"><${Icon} name="search" /><span class="heard">${t("search")}</span>
        <input id="search" type="search" value=${typed} placeholder=${t("search-hint")} onInput=${(event) => setTyped(event.target.value)} /></label>
      <div class="options scroll" role="group" aria-label=${t("show-only")}>${filters.map(([code, word]) => html`<button key=${code} type="button" class="chip"
        aria-pressed=${String(only === code)} onClick=${() => go(address({ search, page: 1, only: code }), { replace: true })}>${t(word)}</button>`)}</div>
    </div>`}
    <${Fault} error=${error} />
    ${value && html`<p class="heard" role="status">${t("lots-count", { n: value.count })}</p>`}
    ${value?.count === 0 && html`<p class="empty">${t(search || only ? "none-found" : status.revoked ? "revoked-no-lots" : "no-lots-yet")}</p>`}
    ${value && html`<${Days} rows=${value.rows} showHousehold=${!state.household} today=${state.today} />`}
    ${pages > 1 && html`<nav class="pages" aria-label=${t("pages")}>
      <button type="button" class="second" disabled=${page <= 1} onClick=${() => turn(page - 1)}>${t("newer")}</button>
      <span>${t("page-of", { page, pages })}</span>
      <button type="button" class="second" disabled=${page >= pages} onClick=${() => turn(page + 1)}>${t("older")}</button>
    </nav>`}
  <//>`;
}

function address({ search, page, only }) {
  const query = new URLSearchParams();
  if (search.trim()) query.set("search", search.trim());
  if (only) query.set("only", only);
  if (page > 1) query.set("page", page);
  const text = query.toString();
  return `/harvest${text ? `?${text}` : ""}`;
}
