// One lot as a line of a list, and the words for where it stands.
import { Component, html } from "../lib/preact-htm.js";
import { t } from "../words.js";
import { weight } from "./figures.js";
import { placeName, productName } from "./phone.js";
import { Crop, Icon } from "./pictures.js";
import { go } from "./route.js";

/** Where a lot stands: `[kind, picture, words]`. What a person must do comes before what merely happened. */
export function standing(lot) {
  if (lot.damaged) return ["bad", "warning", t("lot-damaged")];
  if (lot.inConflict) return ["ask", "split", t("lot-in-conflict")];
  if (lot.notTakenIn) return ["bad", "warning", t("lot-not-taken-in")];
  if (lot.receiptInConflict) return ["ask", "split", t("lot-weighed-differently")];
  if (lot.state === "rejected") return ["bad", "back_out", t("lot-rejected")];
  if (lot.state === "received") return ["good", "scale", t("lot-weighed", { weight: weight(lot.weighedGrams) })];
  if (lot.sent) return ["good", "ticks", t("lot-sent")];
  return ["quiet", "phone", t("lot-kept")];
}

export function Standing({ lot }) {
  const [kind, sign, words] = standing(lot);
  return html`<span class=${`standing ${kind}`}><${Icon} name=${sign} /><span>${words}</span></span>`;
}

export const gradeName = (grade) => (grade ? t("grade-of", { grade }) : "");

// A line draws itself again only when its lot is another object: lists are long, and phones slow.
export class LotLine extends Component {
  shouldComponentUpdate(next) {
    return next.lot !== this.props.lot || next.words !== this.props.words || next.href !== this.props.href;
  }

  render({ lot, href, showHousehold, scale }) {
    const name = productName(lot.product);
    // At the scale what counts is the number on the sack; where it stands is clear.
    // Of a household's phone what others recorded for it stands out; elsewhere what this phone recorded.
    const by = !scale && (showHousehold ? lot.recordedBy === "this phone" && t("recorded-here") : lot.recordedBy === "other" && t("recorded-elsewhere"));
    const small = [showHousehold && lot.householdName, scale && lot.id, gradeName(lot.grade), by, !scale && placeName(lot.place)].filter(Boolean).join(" · ");
    const open = (event) => { event.preventDefault(); go(href); };
    return html`<li class="lot"><a href=${`#${href}`} onClick=${open}>
      <${Crop} code=${lot.product} name=${name} />
      <span class="lot-lines"><span><strong>${name}</strong><strong class="lot-much">${weight(lot.grams)}</strong></span>
        <span><span class="lot-where">${small}</span>${!scale && html`<${Standing} lot=${lot} />`}</span></span>
    </a></li>`;
  }
}
