// When the browser phone syncs by itself, on a clock that stands until it is moved.
import { strict as assert } from "node:assert";
import { test } from "node:test";
import { GATHER_MILLIS, IDLE_MILLIS, Schedule, backoff } from "../../web/app/schedule.js";

/// A schedule on a clock that stands until it is moved.
function scheduled() {
  let now = 0;
  let due = null;
  const starts = [];
  const timers = { setTimeout: (run, wait) => { due = { run, at: now + wait }; return 1; }, clearTimeout: () => { due = null; } };
  const schedule = new Schedule({ run: () => starts.push(now), now: () => now, random: () => 0, timers });
  const pass = (millis) => {
    const end = now + millis;
    while (due && due.at <= end) {
      const { run, at } = due;
      due = null;
      now = at;
      run();
    }
    now = end;
  };
  return { schedule, starts, pass };
}

test("edits are gathered, one sync runs at a time, and what came meanwhile goes in the next", () => {
  const { schedule, starts, pass } = scheduled();
  schedule.edited();
  pass(1_000);
  schedule.edited();
  pass(GATHER_MILLIS);
  assert.deepEqual(starts, [GATHER_MILLIS], "the second edit doesn't put it off");
  schedule.edited();
  schedule.nudged();
  pass(60_000);
  assert.equal(starts.length, 1);
  schedule.succeeded();
  pass(GATHER_MILLIS);
  assert.equal(starts.length, 2);
  schedule.succeeded();
  pass(IDLE_MILLIS);
  assert.equal(starts.length, 3, "an idle phone asks every quarter of an hour");
});

test("after failures it waits longer and longer, until the line returns", () => {
  const { schedule, starts, pass } = scheduled();
  schedule.asked();
  pass(0);
  for (let failures = 1; failures <= 12; failures += 1) {
    schedule.failed();
    schedule.edited();
    pass(backoff(failures, 0) - 1);
    assert.equal(starts.length, failures, "an edit waits for the next try");
    pass(1);
    assert.equal(starts.length, failures + 1);
  }
  schedule.failed();
  schedule.offline();
  pass(3 * IDLE_MILLIS);
  assert.equal(starts.length, 13, "nothing is tried without a line");
  schedule.asked();
  pass(0);
  assert.equal(starts.length, 14);
  for (const random of [0, 0.5, 1]) assert.ok(backoff(1, random) >= 5_000 && backoff(40, random) <= 15 * 60_000);
});

test("a line that came back before anybody joined is there for her first sync", () => {
  const { schedule, starts, pass } = scheduled();
  schedule.offline();
  schedule.nudged();
  pass(60_000);
  assert.deepEqual(starts, []);
  schedule.asked();
  pass(1);
  assert.equal(starts.length, 1);
});
