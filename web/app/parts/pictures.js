// Line pictures of tabs and buttons, and pictures of crops. Drawn here, so that they are there offline and look alike on every
// phone; a product without a picture shows the first letter of its name.
import { html } from "../lib/preact-htm.js";

const LINES = {
  record: "M12 5v14M5 12h14",
  harvest: "M4 10h16l-1.6 9H5.6zM8 10l3-6M16 10l-3-6M9.5 13.5v2.5M14.5 13.5v2.5",
  prices: "M7 4l5 7 5-7M12 11v9M7.5 12.5h9M7.5 16h9",
  status: "M5 19v-4M10 19v-8M15 19V8M20 19V5",
  receive: "M12 4v10M8 10l4 4 4-4M5 19h14",
  back: "M15 5l-7 7 7 7",
  next: "M9 5l7 7-7 7",
  tick: "M5 13l4.5 4.5L19 7.5",
  ticks: "M2.5 13l4 4L14 8.5M11 16l1 1 8.5-9",
  phone: "M8 3.5h8a1 1 0 0 1 1 1v15a1 1 0 0 1-1 1H8a1 1 0 0 1-1-1v-15a1 1 0 0 1 1-1zM11 17.5h2",
  erase: "M9 6h11v12H9l-6-6zM12.5 9.5l5 5M17.5 9.5l-5 5",
  pen: "M5 19l1-4L16 5l3 3L9 18zM14 7l3 3",
  warning: "M12 4l9 16H3zM12 10v5M12 17.5v.2",
  split: "M12 20v-7M12 13L6 5M12 13l6-8M6 9V5h4M14 5h4v4",
  scale: "M5 20h14M12 20V8M6 8h12M6 8l-2.5 5.5h5zM18 8l-2.5 5.5h5z",
  back_out: "M9 6L4 11l5 5M4 11h10a5 5 0 0 1 0 10h-2",
  camera: "M4 8h4l1.5-2.5h5L16 8h4v11H4zM12 16.5a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4z",
  search: "M11 17a6 6 0 1 0 0-12 6 6 0 0 0 0 12zM15.5 15.5L20 20",
  people: "M9 11a3.2 3.2 0 1 0 0-6.4A3.2 3.2 0 0 0 9 11zM3 19c.4-3.4 2.6-5 6-5s5.6 1.6 6 5M16 5.200a3 3 0 0 1 0 5.600M17.5 14.500c2 .6 3.2 2.1 3.5 4.5",
  ask: "M9 9a3 3 0 1 1 4.5 2.600c-1 .6-1.500 1.200-1.500 2.400M12 17.500v.2M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z",
  more: "M5 12h.2M12 12h.2M19 12h.2",
};

export const Icon = ({ name }) => html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d=${LINES[name]} /></svg>`;

// Each crop is a few shapes in a 48 × 48 field: [path, colour name]. Colours are classes, so that dark paper may dim them.
const dot = (x, y, r) => `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`;
const CROPS = {
  millet: [["M23 45C24 34 22 25 15 17l2-1.500c8 8 10 18 9 29.500z", "stalk"], ["M26 33c5-1 9-4 11-9-6 0-10 3-11 7z", "leaf"],
    ["M31 13C29 5 20 2 13 6 7 10 7 18 9 27c1 3 5 3 6 0 1-6 1-11 5-13 4-1.5 7 1 11-1z", "gold"],
    [dot(12, 12, 1.5) + dot(17, 9, 1.5) + dot(22, 8, 1.5) + dot(11, 17, 1.5) + dot(15, 14, 1.5) + dot(11.5, 22, 1.5) + dot(20, 12, 1.5), "amber"]],
  "red-date": [["M23 14c2-5 6-8 12-9l.5 2c-5 1-8 4-10 8z", "stalk"], ["M27 10c4-5 9-6 14-4-2 5-7 7-13 6z", "leaf"],
    ["M16 13c7 0 11 6 11 14s-4 16-11 16S5 35 5 27s4-14 11-14z", "brick"], ["M33 20c6 0 10 5 10 11s-4 12-10 12-9-6-9-12 3-11 9-11z", "red"],
    ["M12 18c-3 3-4 7-3.5 12l2-.300C10 26 11 22 13.5 19.500z", "shine"]],
  walnut: [["M24 5c11 0 19 8 19 19s-8 19-19 19S5 35 5 24 13 5 24 5z", "tan"],
    ["M23 5.500h2v37h-2zM17 9c2 4-3 6-1 11s-4 6-2 11 1 5 3 8l1.7-1c-2-3-.5-5-2.5-9 3-3 3-6 2-10 0-4 3-6 .5-11zM31 9c-2 4 3 6 1 11s4 6 2 11-1 5-3 8l-1.7-1c2-3 .5-5 2.5-9-3-3-3-6-2-10 0-4-3-6-.5-11z", "bark"]],
  chestnut: [["M24 4c2 4 5 6 10 9 6 4 9 9 9 15 0 9-8 15-19 15S5 37 5 28c0-6 3-11 9-15 5-3 8-5 10-9z", "bark"],
    ["M6.5 33C12 30 36 30 41.5 33 39 39.5 32.5 43 24 43S9 39.5 6.5 33z", "tan"], ["M15 17c-4 3-6 6-6 10l2 .300c.5-3.5 2-6 5.5-8.500z", "shine"]],
  chilli: [["M32 14C33 9 37 6 42 6l.3 2.500c-4 .5-6.5 3-7.3 6.500z", "leaf"], ["M26 15c3-4 9-4 11 0 3 5-2 14-10 20C20 40 11 43 5 42c8-3 12-7 15-13 2-5 3-10 6-14z", "red"],
    ["M25.5 16.500c2-4 8-5 11.5-2-3 3-7 4-11.5 2z", "leaf"], ["M28 20c-1 6-4 11-8 14l1.3 1.300C26 32 29 26 30 20.500z", "shine"]],
  buckwheat: [["M14 6l10 16H4z", "bark"], ["M34 8l10 16H24z", "soil"], ["M24 25l11 18H13z", "bark"], ["M14 6l2 16H4zM24 25l2 18H13zM34 8l2 16H24z", "tan"]],
  "mung-bean": [["M8 8c9-4 16 2 16 9s-7 10-12 9S2 12 8 8z", "leaf"], ["M30 12c8-3 15 2 14 9s-7 9-12 8-9-14-2-17z", "green"],
    ["M18 28c9-3 16 2 15 9s-8 8-13 7-9-13-2-16z", "leaf"], ["M10 14l5-2 .6 1.5-5 2zM33 18l5-1.5.5 1.5-5 1.600zM21 34l5-1.5.5 1.5-5 1.600z", "shine"]],
  potato: [["M15 10c9-6 22-3 27 7s2 21-9 25-22-1-26-9-2-17 8-23z", "tan"], [dot(17, 20, 1.7) + dot(30, 16, 1.7) + dot(26, 29, 1.7) + dot(14, 31, 1.7) + dot(36, 28, 1.7), "bark"]],
};

/** A product's picture. The name is always beside it, so that it says nothing to a screen reader. */
export function Crop({ code, name }) {
  const shapes = CROPS[code];
  if (!shapes) return html`<span class="crop letter" aria-hidden="true">${[...(name || code || "?")][0]}</span>`;
  return html`<svg class="crop" viewBox="0 0 48 48" aria-hidden="true" focusable="false">
    ${shapes.map(([d, colour]) => html`<path class=${colour} d=${d} />`)}
  </svg>`;
}

/** The app's own sign: an ear of millet over a granary's roof. */
export const Sign = () => html`<svg class="sign" viewBox="0 0 64 64" aria-hidden="true" focusable="false">
  <path class="gold" d="M32 6L58 26l-3 4-23-17L9 30l-3-4z" />
  <path class="gold" d="M14 31h36v25H14z" /><path class="hole" d="M24 40h16v16H24z" />
  <path class="gold" d="M31 55V44h2v11zM27 44c3 0 4 2 4 5-3 0-4-2-4-5zM37 44c-3 0-4 2-4 5 3 0 4-2 4-5z" />
</svg>`;
