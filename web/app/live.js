// The live socket: the server says one byte when there is something new. It is open only while somebody looks, sends
// nothing but its greeting (a phone's radio would stay awake for a ping), and comes back after a growing wait.

import { backoff } from "./schedule.js";

export class Live {
  #wanted = false;
  #socket = null;
  #timer = null;
  #failures = 0;

  /// `greet` gives the signed greeting, or null when there is none to give; `nudged` is called for each nudge.
  constructor({ greet, nudged, url = liveAddress(), random = Math.random }) {
    Object.assign(this, { greet, nudged, url, random });
  }

  /// Opens the socket, or closes it, and keeps it so.
  want(wanted) {
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    this.#failures = 0;
    clearTimeout(this.#timer);
    if (wanted) this.#open();
    else this.#close();
  }

  #close() {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  async #open() {
    const greeting = await this.greet().catch(() => null);
    if (!this.#wanted || this.#socket || greeting === null) return;
    let socket;
    try {
      socket = new WebSocket(this.url);
    } catch {
      return;
    }
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    socket.onopen = () => socket.send(greeting);
    socket.onmessage = () => {
      this.#failures = 0;
      if (this.#socket === socket) this.nudged();
    };
    // `close` follows every error.
    socket.onclose = () => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      this.#failures += 1;
      this.#timer = setTimeout(() => this.#open(), backoff(this.#failures, this.random()));
    };
  }
}

function liveAddress() {
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/live`;
}
