// What rises from the lower edge to ask one thing. A native dialog: it holds the focus, Escape and the phone's back button
// close it, and what is behind it is inert.
import { html, useLayoutEffect, useRef } from "../lib/preact-htm.js";

export function Sheet({ title, onClose, children }) {
  const dialog = useRef(null);
  useLayoutEffect(() => {
    const element = dialog.current;
    element.showModal();
    element.querySelector("h2").focus();
    return () => { element.close(); };
  }, []);
  const cancel = (event) => { event.preventDefault(); onClose(); };
  const outside = (event) => { if (event.target === dialog.current) onClose(); };
  return html`<dialog class="sheet" ref=${dialog} aria-labelledby="sheet-title" onCancel=${cancel} onClick=${outside}>
    <div class="sheet-in">
      <h2 id="sheet-title" tabindex="-1">${title}</h2>
      ${children}
    </div>
  </dialog>`;
}
