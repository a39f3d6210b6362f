// The console as a person uses it. The test that starts this program holds the server and the phones:
// it is asked by lines `ASK word` and answers with one line. A failed expectation ends with status 1.
import { strict as assert } from "node:assert";
import { mkdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const [server, firstLink, secondLink, foreignLink, shots] = process.argv.slice(2);
mkdirSync(shots, { recursive: true });

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
async function ask(word) {
  console.log(`ASK ${word}`);
  const answer = (await lines.next()).value;
  assert.ok(answer !== undefined, `no answer to ${word}`);
  return answer;
}

const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const problems = [];
async function person(link, locale) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, locale, viewport: { width: 1100, height: 800 } });
  const page = await context.newPage();
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("console", (message) => { if (message.type() === "error" && !message.text().includes("status of 4")) problems.push(message.text()); });
  await redeem(page, link);
  return page;
}
// A link shows a button; only the button signs in.
async function redeem(page, link) {
  await page.goto(link);
  assert.match(page.url(), /once/, "looking at the link signs nobody in");
  await Promise.all([page.waitForNavigation(), page.locator("main button").click()]);
}
// Clicks what leads to another page, and waits for it: a page left too soon takes its form back.
const follow = (page, locator) => Promise.all([page.waitForNavigation(), locator.click()]);
const url = (path) => `${server}/console${path}`;
const shot = (page, name) => page.screenshot({ path: `${shots}/${name}.png`, fullPage: true });
const text = (page) => page.locator("main").innerText();
async function until(what, check) {
  for (let attempt = 0; attempt < 600; attempt += 1) {
    if (await check()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail(`never came: ${what}`);
}

// Signing in: by a link that works once, then by password; out again.
const zhang = await person(firstLink, "en-GB");
assert.match(await zhang.title(), /Overview/);
assert.match(await text(zhang), /To settle/);
const again = await person(firstLink, "en-GB");
assert.match(await text(again), /used already/);
await again.goto(url("/sign-in?coop=1"));
await again.fill("[name=login]", "zhang");
await again.fill("[name=password]", "not the password");
await follow(again, again.locator("main button").first());
assert.match(await text(again), /wrong/);
await again.fill("[name=password]", "correct horse battery");
await follow(again, again.locator("main button").first());
assert.match(await again.title(), /Overview/);
await again.locator("header details summary").last().click();
await follow(again, again.locator("text=Sign out everywhere").first());
assert.match(await again.title(), /Sign in/);
await zhang.goto(url(""));
assert.match(await zhang.title(), /Sign in/, "signed out everywhere ends the other session too");
await redeem(zhang, await ask("new-link"));
assert.match(await zhang.title(), /Overview/);

// A change on an online phone shows without a reload.
const before = await zhang.locator("#latest li").count();
await ask("phone-records");
await until("the new lot on the open page", async () => (await zhang.locator("#latest li").count()) > before);
await shot(zhang, "overview");

// A conflict made by two real phones is settled, and both phones show the settled value.
await ask("conflict");
await until("the conflict", async () => { await zhang.goto(url("/cases")); return (await zhang.locator("article.case").count()) === 1; });
await shot(zhang, "conflict");
const card = zhang.locator("article.case").first();
assert.match(await card.innerText(), /13 kg/);
assert.match(await card.innerText(), /14 kg/);
await card.locator("label.choice", { hasText: "13 kg" }).locator("input[type=radio]").check();
await card.locator("[name=note]").fill("asked Li's son");
await follow(zhang, card.locator("button", { hasText: "Settle" }));
await until("an empty list", async () => { await zhang.goto(url("/cases")); return /Nothing disagrees/.test(await text(zhang)); });
await shot(zhang, "nothing-disagrees");
assert.equal(await ask("settled-weights"), "13000 13000");
await zhang.goto(url("/cases?state=settled"));
assert.match(await text(zhang), /asked Li's son/);
await shot(zhang, "settled");
await follow(zhang, zhang.locator("article.case button", { hasText: "Undo" }).first());
await until("the case to open again", async () => { await zhang.goto(url("/cases")); return (await zhang.locator("article.case").count()) === 1; });
const anew = await zhang.locator("article.case").first().innerText();
assert.match(anew, /13 kg/);
assert.match(anew, /14 kg/, "the values that were decided about are there again");
await zhang.locator("article.case input[name=other]").fill("13.5");
await follow(zhang, zhang.locator("article.case button", { hasText: "Settle" }));
await until("the list to be empty", async () => { await zhang.goto(url("/cases")); return /Nothing disagrees/.test(await text(zhang)); });
assert.equal(await ask("settled-weights"), "13500 13500");

// One harvest recorded on two phones is made one lot.
await ask("duplicate");
await until("the duplicate", async () => { await zhang.goto(url("/cases")); return /recorded twice/.test(await zhang.locator("article.case").first().innerText({ timeout: 1_000 }).catch(() => "")); });
await shot(zhang, "duplicate");
// Left with a note it is no longer open; undone, it is.
await zhang.locator("article.case [name=note]").fill("two sacks, ask again");
await follow(zhang, zhang.locator("article.case button", { hasText: "Leave it" }));
await until("the case to be left", async () => { await zhang.goto(url("/cases?state=left")); return /two sacks, ask again/.test(await text(zhang)); });
await zhang.goto(url("/cases"));
assert.match(await text(zhang), /Nothing disagrees/);
await zhang.goto(url("/cases?state=left"));
await follow(zhang, zhang.locator("article.case button", { hasText: "Undo" }).first());
await until("the duplicate again", async () => { await zhang.goto(url("/cases")); return /recorded twice/.test(await zhang.locator("article.case").first().innerText({ timeout: 1_000 }).catch(() => "")); });
await follow(zhang, zhang.locator("article.case button", { hasText: "Make them one lot" }));
await until("the list to be empty again", async () => { await zhang.goto(url("/cases")); return /Nothing disagrees/.test(await text(zhang)); });
assert.equal(await ask("count-of-duplicates"), "1 1");

// The warehouse weighs: a receipt above what was recorded is a disagreement, settled by the rule.
await zhang.goto(url("/harvests?search=duplicate"));
await follow(zhang, zhang.locator("tbody a").first());
assert.equal(await zhang.locator("form[action$=receipt] [name=grams]").inputValue(), "", "nothing was weighed yet");
await zhang.locator("form[action$=receipt] [name=state][value=received]").check();
await zhang.locator("form[action$=receipt] [name=grams]").fill("9,9,9");
await follow(zhang, zhang.locator("form[action$=receipt] button"));
// A wrong field comes back with what was typed, and the cursor is in it.
assert.match(await zhang.locator("form[action$=receipt] #fault").innerText(), /Nothing was changed/);
assert.equal(await zhang.locator("form[action$=receipt] [name=grams]").inputValue(), "9,9,9");
assert.equal(await zhang.evaluate(() => document.activeElement.name), "grams");
assert.equal(await zhang.locator("form[action$=receipt] [name=state][value=received]").isChecked(), true);
await shot(zhang, "refused-form");
// An unusual figure is asked about beside its field, in the same form.
await zhang.locator("form[action$=receipt] [name=grams]").fill("99");
await follow(zhang, zhang.locator("form[action$=receipt] button"));
assert.match(await zhang.locator("form[action$=receipt] .ask").innerText(), /99 kg weighed is far from/);
assert.match(await zhang.locator("form[action$=receipt] button").innerText(), /It is right: Save the receipt/);
assert.equal(await zhang.locator("form[action$=receipt] [name=grams]").inputValue(), "99");
assert.equal(await zhang.evaluate(() => document.activeElement.name), "grams");
await shot(zhang, "asked-back");
await zhang.locator("form[action$=receipt] [name=grams]").fill("9.9");
await follow(zhang, zhang.locator("form[action$=receipt] button"));
await until("the weighing", async () => { await zhang.reload(); return /9\.9 kg/.test(await text(zhang)); });
await shot(zhang, "lot");
await until("the case", async () => { await zhang.goto(url("/cases?kind=weight")); return (await zhang.locator("article.case").count()) === 1; });
// Many at once are shown first, and undone in one click.
const settleAll = async () => {
  await follow(zhang, zhang.locator("form[action$=many] button"));
  assert.match(await text(zhang), /Nothing is settled yet[\s\S]*9\.9 kg/);
  await shot(zhang, "rule-before");
  await follow(zhang, zhang.locator("form[action$=many] button"));
};
await settleAll();
await follow(zhang, zhang.locator("main form", { hasText: "1 case was settled at once" }).locator("button", { hasText: "Undo it" }));
await until("the case to be open again", async () => { await zhang.goto(url("/cases?kind=weight")); return (await zhang.locator("article.case").count()) === 1; });
await settleAll();
await until("the rule to have settled all", async () => { await zhang.goto(url("/cases")); return /Nothing disagrees/.test(await text(zhang)); });

// An order that one packer shipped while another cancelled it.
await ask("order-conflict");
await until("the order", async () => { await zhang.goto(url("/cases")); return /two states at once/.test(await text(zhang)); });
await shot(zhang, "order-in-two-states");
const orderCard = zhang.locator("article.case", { hasText: "6912" });
await orderCard.locator("label.choice", { hasText: "Shipped" }).locator("input[type=radio]").check();
await follow(zhang, orderCard.locator("button"));
await until("the order to be settled", async () => { await zhang.goto(url("/cases")); return /Nothing disagrees/.test(await text(zhang)); });
await zhang.goto(url("/orders?status=shipped"));
assert.match(await text(zhang), /6912/);

// A price that two coordinators edit at once: both are kept and shown.
const wang = await person(secondLink, "zh-CN");
assert.match(await wang.title(), /总览/);
await zhang.goto(url("/catalogue/millet"));
await wang.goto(url("/catalogue/millet"));
// Both have typed before either saves: a page on which nobody types shows the other's price by itself.
const priceForm = (page) => page.locator("form", { has: page.locator("input[name=code][value=millet]") });
await priceForm(zhang).locator("[name='price:A']").fill("7.80");
await priceForm(wang).locator("[name='price:A']").fill("8.10");
for (const page of [zhang, wang]) await follow(page, priceForm(page).locator("button"));
await until("both prices to be shown", async () => {
  await zhang.goto(url("/catalogue/millet"));
  const millet = await zhang.locator("form", { has: zhang.locator("input[name=code][value=millet]") }).innerText();
  return /¥7\.80/.test(millet) && /¥8\.10/.test(millet);
});
await shot(zhang, "catalogue-price-edited-at-once");
// Saving the form settles it, with the price that is shown.
const priced = zhang.locator("form", { has: zhang.locator("input[name=code][value=millet]") });
await follow(zhang, priced.locator("button"));
await zhang.goto(url("/catalogue/millet"));
assert.doesNotMatch(await priced.innerText(), /at once/);
await shot(wang, "catalogue-zh");

// Import: a bad row keeps everything out; a good file goes in whole.
await zhang.goto(url("/import"));
const file = (content) => ({ name: "households.csv", mimeType: "text/csv", buffer: Buffer.from(content) });
await zhang.setInputFiles("input[type=file]", file("name,village\n新户甲,dongpo\n新户乙,nowhere\n"));
await follow(zhang, zhang.locator("main form button").first());
assert.match(await text(zhang), /Changes: 1\. Errors: 1\./);
assert.match(await text(zhang), /nowhere/);
assert.equal(await zhang.locator("form[action$=confirm]").count(), 0);
await shot(zhang, "import-with-a-bad-row");
await zhang.goto(url("/import"));
await zhang.setInputFiles("input[type=file]", file("\ufeffname,village\n新户甲,dongpo\n新户丙,dongpo\n"));
await follow(zhang, zhang.locator("main form button").first());
await follow(zhang, zhang.locator("form[action$=confirm] button").first());
await until("the imported households", async () => { await zhang.goto(url("/households?search=新户")); return (await zhang.locator("tbody tr").count()) === 2; });

// Invitations on the screen and on paper.
await follow(zhang, zhang.locator("tbody tr form button").first());
assert.equal(await zhang.locator(".qr svg").count(), 1);
await shot(zhang, "invitation");
assert.match(await ask(`enrol ${await zhang.locator(".link code").innerText()}`), /enrolled/);

// Exports: Chinese opens in Excel.
const csv = await zhang.context().request.get(url("/export/lots.csv"));
const body = await csv.body();
assert.deepEqual([...body.subarray(0, 3)], [0xef, 0xbb, 0xbf]);
assert.match(body.toString("utf8"), /东坡地/);
const xlsx = await zhang.context().request.get(url("/export/lots.xlsx"));
assert.equal((await xlsx.body()).subarray(0, 2).toString(), "PK");

// A form of before that somebody else has overtaken: what she did not touch stays as the other one wrote it.
await zhang.goto(url("/households?search=新户甲"));
await follow(zhang, zhang.locator("tbody a").first());
const house = zhang.url();
await wang.goto(house);
await wang.locator("main [name=payment]").fill("农行 6222");
await follow(wang, wang.locator("#particulars button"));
await zhang.locator("main [name=member]").fill("新户乙");
await follow(zhang, zhang.locator("#particulars button"));
assert.equal(await zhang.locator("main [name=payment]").inputValue(), "农行 6222");
assert.match(await text(zhang), /新户乙/);

// HTML in every text field stays text.
const evil = "<script>document.title='owned'</script><img src=x onerror=alert(1)>";
await zhang.goto(url("/households"));
await zhang.locator("form[action$=add] [name=name]").fill(evil.slice(0, 60));
await follow(zhang, zhang.locator("form[action$=add] button"));
assert.ok((await text(zhang)).length > 0);
await ask("evil-note");
await until("the lot with the note", async () => { await zhang.goto(url("/harvests?search=onerror")); return (await zhang.locator("tbody tr").count()) > 0; });
assert.notEqual(await zhang.title(), "owned");
assert.equal(await zhang.locator("tbody img").count(), 0);
await shot(zhang, "escaped");

// What a form must not do: no token, another's token, far too much, ids that do not exist, another co-operative's.
const request = zhang.context().request;
const post = (path, form) => request.post(url(path), { form, maxRedirects: 0 });
assert.equal((await post("/households/add", { name: "x", village: "" })).status(), 403);
assert.equal((await post("/households/add", { name: "x", village: "", token: "0".repeat(48) })).status(), 403);
const huge = await request.post(url("/households/add"), { data: "name=" + "x".repeat(10 << 20), headers: { "content-type": "application/x-www-form-urlencoded" }, maxRedirects: 0 }).catch(() => null);
assert.ok(huge === null || huge.status() === 413);
for (const path of ["/lots/nonsense", "/lots/7KQ2-M9XT-4B0F", "/lots/00000000-0000-0000-0000-000000000000.2026.1@00", "/households/00000000-0000-0000-0000-000000000000", "/nothing", "/export/secrets.csv"]) {
  const answer = await request.get(url(path));
  assert.equal(answer.status(), 404, path);
  assert.match(await answer.text(), /<a href="\/console">/);
}
const stranger = await person(foreignLink, "en-GB");
assert.match(await text(stranger), /Set up your co-operative/);
await stranger.goto(url("/harvests"));
assert.match(await text(stranger), /Nothing was recorded yet/);
const lot = await zhang.locator("tbody a").first().getAttribute("href");
assert.equal((await stranger.context().request.get(server + lot)).status(), 404);

// Headers on each page, and its weight.
for (const path of ["", "/harvests", "/cases", "/sign-in", "/nothing"]) {
  const answer = await request.get(url(path));
  const headers = answer.headers();
  assert.match(headers["content-security-policy"], /frame-ancestors 'none'/);
  assert.doesNotMatch(headers["content-security-policy"], /unsafe-inline/);
  assert.match(headers["strict-transport-security"], /max-age/);
}
const fresh = await browser.newContext({ ignoreHTTPSErrors: true });
let weight = 0;
const first = await fresh.newPage();
const session = await fresh.newCDPSession(first);
await session.send("Network.enable");
session.on("Network.loadingFinished", (event) => { weight += event.encodedDataLength; });
await fresh.addCookies(await zhang.context().cookies());
await first.goto(url(""), { waitUntil: "networkidle" });
console.log(`the first page weighs ${weight} bytes`);
assert.match(await first.title(), /Granary/);
assert.equal(await first.locator("nav a").count() > 5, true, "signed in");
assert.ok(weight > 1_000 && weight < 60_000);

// A screen of 360 px: nothing hangs over the edge; the language is chosen by a button.
await zhang.setViewportSize({ width: 360, height: 740 });
for (const path of ["", "/harvests", "/cases?state=settled", "/orders", "/catalogue", "/households", "/cooperative", "/phones", "/coordinators", "/invitations", "/unusual", "/set-aside", "/password", "/export", "/import"]) {
  await zhang.goto(url(path));
  const over = await zhang.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  await shot(zhang, `narrow${path.replaceAll(/[/?=]/g, "-") || "-overview"}`);
  assert.ok(over <= 0, `${path} is ${over} px too wide`);
  // What can be done is within reach, also in the tables.
  const hidden = await zhang.evaluate(() => [...document.querySelectorAll("main button")].filter((button) => button.getBoundingClientRect().right > innerWidth).length);
  assert.equal(hidden, 0, `${path} has ${hidden} buttons off the screen`);
}
await zhang.locator("header.bar > details.drop > summary").click();
await follow(zhang, zhang.locator("header.bar > details.drop button[lang=zh]"));
await zhang.goto(url("/harvests"));
assert.match(await text(zhang), /公斤/);
await shot(zhang, "narrow-harvests-zh");

assert.deepEqual(problems, []);
await browser.close();
console.log("DONE");
process.exit(0);
