// Carries one piece of the core's work over the line: signs what it asks to be signed, sends what it asks to be sent,
// and hands it the answer as it arrives, so that a cut answer resumes at the byte where it broke. What to send, when
// to resume and when to give up the core decides; this file knows sockets and time-outs alone.

/// A line on which no byte passes for this long is dead.
const SILENCE_MILLIS = 60_000;
/// How long a request's own bytes may take besides: `fetch` doesn't tell how far it is, and 2G at its worst carries
/// this many bytes a second.
const UPLOAD_BYTES_PER_SECOND = 500;

/// Why the line failed: `offline`, `broke`, or `intercepted` when something else than our server answered.
class LineError extends Error {
  constructor(code) {
    super(code);
    this.code = code;
  }
}

const brokeHow = () => new LineError(globalThis.navigator?.onLine === false ? "offline" : "broke");

/// True for an answer that a network gives in the server's place: a way to its sign-in, or a page.
function isIntercepted(response) {
  if (response.type === "opaqueredirect" || response.status === 511) return true;
  const kind = response.headers.get("content-type") ?? "";
  return response.status < 500 && kind.startsWith("text/html");
}

/// Rejects when `promise` takes longer than this; `onLate` frees what it holds.
function within(millis, promise, onLate) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => {
      onLate();
      reject(new LineError("broke"));
    }, millis);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/// One request and its answer. Throws a LineError when the line fails before the answer is whole.
async function send(step, work, { turn, fetch, silence, count }) {
  const body = step.method === "GET" ? undefined : await turn(() => work.body());
  const abort = new AbortController();
  const upload = (body?.length ?? 0) / UPLOAD_BYTES_PER_SECOND * 1000;
  const began = performance.now();
  const waited = (millis, promise) => within(millis, promise, () => abort.abort());
  count(body?.length ?? 0, 0);
  let response;
  try {
    response = await waited(silence + upload, fetch(step.path, {
      method: step.method, headers: step.headers ?? {}, body, signal: abort.signal,
      cache: "no-store", credentials: "omit", redirect: "manual", referrerPolicy: "no-referrer",
    }));
  } catch (error) {
    throw error instanceof LineError ? error : brokeHow();
  }
  if (isIntercepted(response)) {
    abort.abort();
    throw new LineError("intercepted");
  }
  await turn(() => work.answerBegins(response.status, JSON.stringify(Object.fromEntries(response.headers))));
  const reader = response.body?.getReader();
  while (reader) {
    let part;
    try {
      part = await waited(silence, reader.read());
    } catch (error) {
      throw error instanceof LineError ? error : brokeHow();
    }
    if (part.done) break;
    count(0, part.value.length);
    await turn(() => work.chunk(part.value));
  }
  await turn(() => work.answerEnds(Math.round(performance.now() - began)));
}

/// Drives a piece of work to its end and returns its outcome: `{ok}` or `{error}`.
///
/// `turn` runs a function on the core and makes what it wrote durable before it goes on; `sign` signs bytes with the
/// phone's key. Bytes are counted without HTTP's own headers, which a page can't see.
export async function drive(work, { turn, sign, fetch = (...request) => globalThis.fetch(...request), silence = SILENCE_MILLIS, traffic = () => undefined }) {
  for (;;) {
    const step = JSON.parse(await turn(() => work.next()));
    if (step.do === "sign") {
      const signature = await sign(await turn(() => work.toSign()));
      await turn(() => work.signed(signature));
    } else if (step.do === "send") {
      let [up, down] = [0, 0];
      const count = (more, less) => { up += more; down += less; };
      let broken = null;
      try {
        await send(step, work, { turn, fetch, silence, count });
      } catch (error) {
        if (!(error instanceof LineError)) throw error;
        broken = error;
      }
      traffic(up, down);
      await turn(() => work.traffic(up, down));
      if (broken) await turn(() => work.broke(broken.code));
    } else {
      return JSON.parse(await turn(() => work.outcome()));
    }
  }
}
