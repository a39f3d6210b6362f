// How many bytes went up and down this month: what a person with a prepaid card wants to know.

/// The month by this phone's clock, such as 2026-11.
function thisMonth() {
  const now = new Date();
  return `${now.getFullYear()}-${String(now.getMonth() + 1).padStart(2, "0")}`;
}

/// The kept count, or an empty one when the month has changed.
export async function readTraffic(store) {
  return addTraffic(await store.note("traffic"), 0, 0);
}

/// The count with these bytes more.
export function addTraffic(kept, up, down) {
  const month = thisMonth();
  const before = kept?.month === month ? kept : { up: 0, down: 0 };
  return { month, up: before.up + up, down: before.down + down };
}
