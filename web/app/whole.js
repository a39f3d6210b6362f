// The core comes in two parts, which `web/build` makes. With the first a phone joins and records, so that on a slow line
// it is of use early; the second has all else and comes right behind it. What needs the second waits until it is here.

import init from "./wasm/granary_web.js";
import { CORE_BYTES } from "./version.js";

const AGAIN_MILLIS = 10_000;
/// What the first part does alone, as `web/first_use.mjs` tried it; all other calls and work wait for the second.
const FIRST = new Set(["state", "status", "catalogue", "questions", "readWeight", "unusual", "record", "lots", "lot", "look", "enrol", "sync", "listen"]);

const address = (file) => new URL(`wasm/${file}`, import.meta.url);
const refused = (sentence = "") => ({ code: "broke", field: null, sentence });

export class Whole {
  #exports = null;
  #coming = null;
  #timer = null;
  /// True when both parts are here.
  isHere = false;

  /// `told()` hears that both are here.
  constructor(told) {
    this.told = told;
  }

  /// Loads the first part. Before the app is installed that takes a minute on a slow line, so `loading` is told how far it
  /// is; afterwards the file is handed over as it is, since the browser keeps what it has made of it.
  async first(installed, loading) {
    let answer = await fetch(address("granary_web_bg.wasm")).catch(() => null);
    if (!answer?.ok) throw refused();
    if (!installed && answer.body) {
      let done = 0;
      const counted = answer.body.pipeThrough(new TransformStream({
        transform(part, out) {
          done += part.length;
          loading({ done, of: Math.max(CORE_BYTES, done) });
          out.enqueue(part);
        },
      }));
      answer = new Response(counted, { headers: { "content-type": "application/wasm" } });
    }
    // The line broke in the middle, or the file is no WebAssembly: either way it must come again.
    this.#exports = await init({ module_or_path: answer }).catch((error) => { throw refused(String(error)); });
    this.come();
  }

  /// Begins to fetch the second part, unless it comes already.
  come() {
    clearTimeout(this.#timer);
    this.#coming ??= this.#fetch();
    this.#coming.catch(() => undefined);
    return this.#coming;
  }

  async #fetch() {
    try {
      const answer = await fetch(address("granary_web_more.wasm"));
      if (!answer.ok) throw new Error(`${answer.status}`);
      // It fills the places that the first part left empty.
      await WebAssembly.instantiateStreaming(answer, { first: this.#exports });
      this.isHere = true;
      this.told();
    } catch (error) {
      this.#coming = null;
      this.#timer = setTimeout(() => this.come(), AGAIN_MILLIS);
      throw { code: "not-whole", field: null, sentence: String(error) };
    }
  }

  /// Resolves when what `name` needs is here; rejects when it can't be fetched now.
  async until(name) {
    if (!this.isHere && !FIRST.has(name)) await this.come();
  }

  stop() {
    clearTimeout(this.#timer);
  }
}
