// Products as tiles, with a picture and a big word.
import { html } from "../lib/preact-htm.js";
import { nameOf } from "./phone.js";
import { Crop } from "./pictures.js";

export const Tiles = ({ products, chosen, onChoose }) => html`<ul class="tiles">
  ${products.map((product) => html`<li key=${product.code}>
    <button type="button" aria-pressed=${chosen === undefined ? undefined : String(chosen === product.code)} onClick=${() => onChoose(product)}>
      <${Crop} code=${product.code} name=${nameOf(product)} /><span>${nameOf(product)}</span>
    </button>
  </li>`)}
</ul>`;

/** A choice of few short words, at most one of them chosen: radio buttons that look like keys. */
export function Choice({ name, legend, options, value, onChoose, hideLegend = false, invalid = false }) {
  return html`<fieldset class="choice" aria-invalid=${invalid ? "true" : undefined}>
    <legend class=${hideLegend ? "heard" : ""}>${legend}</legend>
    <div class="options">
      ${options.map(([code, word]) => html`<label key=${code}>
        <input type="radio" name=${name} value=${code} checked=${value === code} onChange=${() => onChoose(code)} /><span>${word}</span>
      </label>`)}
    </div>
  </fieldset>`;
}
