// The phone's signing key. WebCrypto makes it so that nobody can read it, not even this app, and it lies in the same
// database as the rows: both are lost together. Browsers without Ed25519 sign with a library; the key's seed is then
// kept encrypted under an AES key that can't be read either, and is in memory while it signs.

const ED25519 = { name: "Ed25519" };
/// The note of the store that holds the key.
const NOTE = "key";

/// True where the browser makes and uses Ed25519 keys; told by trying, since what is listed differs from what works.
async function hasEd25519(subtle) {
  try {
    const { privateKey } = await subtle.generateKey(ED25519, false, ["sign", "verify"]);
    return (await subtle.sign(ED25519, privateKey, new Uint8Array(1))).byteLength === 64;
  } catch {
    return false;
  }
}

const loadLibrary = () => import("./lib/noble-ed25519.js");

async function makeNative(subtle) {
  const pair = await subtle.generateKey(ED25519, false, ["sign", "verify"]);
  const publicKey = new Uint8Array(await subtle.exportKey("raw", pair.publicKey));
  return { kind: "webcrypto", publicKey, privateKey: pair.privateKey };
}

async function makeWrapped(subtle) {
  const library = await loadLibrary();
  const seed = crypto.getRandomValues(new Uint8Array(32));
  const publicKey = await library.getPublicKeyAsync(seed);
  const wrap = await subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  const nonce = crypto.getRandomValues(new Uint8Array(12));
  const sealed = new Uint8Array(await subtle.encrypt({ name: "AES-GCM", iv: nonce }, wrap, seed));
  return { kind: "wrapped", publicKey, wrap, nonce, sealed };
}

/// Something that signs with a kept key.
export function signer(kept, subtle = crypto.subtle) {
  if (kept.kind === "webcrypto") {
    const sign = async (bytes) => new Uint8Array(await subtle.sign(ED25519, kept.privateKey, bytes));
    return { publicKey: kept.publicKey, sign };
  }
  const sign = async (bytes) => {
    const seed = new Uint8Array(await subtle.decrypt({ name: "AES-GCM", iv: kept.nonce }, kept.wrap, kept.sealed));
    try {
      return await (await loadLibrary()).signAsync(bytes, seed);
    } finally {
      seed.fill(0);
    }
  };
  return { publicKey: kept.publicKey, sign };
}

/// A new key, in the form in which it is kept.
export async function makeKey(subtle = crypto.subtle) {
  return (await hasEd25519(subtle)) ? makeNative(subtle) : makeWrapped(subtle);
}

/// The phone's key. It is made at the first use, and durable before anybody hears of it: a phone that asks again to be
/// enrolled after a lost answer must ask with the same key.
export async function openKey(store) {
  let kept = await store.note(NOTE);
  if (kept === undefined) {
    kept = await makeKey();
    await store.keepNote(NOTE, kept);
  }
  return signer(kept);
}

/// Forgets the key: a phone that has left joins again as another device.
export async function forgetKey(store) {
  await store.keepNote(NOTE, undefined);
}
