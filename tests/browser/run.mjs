// Plays the console in Debian's Chromium against the demonstration: run.mjs BINARY.
// One line for each test, `N passed, M failed` last; screenshots lie in target/tests/screenshots/.

import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const binary = resolve(process.argv[2] ?? join(root, "target/debug/tongban"));
const pictures = join(root, "target/tests/screenshots");
const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];

function check(condition, said) {
  if (!condition) throw new Error(said);
}

function found(command) {
  const folder = process.env.PATH.split(delimiter).find((folder) => existsSync(join(folder, command)));
  check(folder, `${command} is not on PATH`);
  return join(folder, command);
}

function freePort() {
  return new Promise((done) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });
}

async function until(what, condition, seconds = 30) {
  const end = Date.now() + seconds * 1000;
  while (Date.now() < end) {
    const value = await condition();
    if (value) return value;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`did not come within ${seconds} s: ${what}`);
}

/** The demonstration with a scratch folder. */
async function demo() {
  const folder = mkdtempSync(join(tmpdir(), "tongban-browser-"));
  const port = await freePort();
  const child = spawn(binary, ["demo", "--data", join(folder, "demo"), "--listen", `127.0.0.1:${port}`], { cwd: root });
  let said = "";
  child.stdout.on("data", (data) => (said += data));
  child.stderr.on("data", (data) => (said += data));
  const ended = new Promise((done) => child.on("exit", done));
  const url = `http://127.0.0.1:${port}`;
  await until("the demonstration is ready", async () => {
    check(child.exitCode === null, `the demonstration ended: ${said}`);
    return /password of everybody/.test(said) && (await fetch(`${url}/readyz`).then((answer) => answer.ok, () => false));
  }, 120);
  const password = said.match(/password of everybody: (\S+?)\)/)[1];
  const stop = async () => {
    child.kill("SIGTERM");
    const late = setTimeout(() => child.kill("SIGKILL"), 20_000);
    await ended;
    clearTimeout(late);
    rmSync(folder, { recursive: true, force: true });
  };
  return { url, password, stop };
}

const troubles = [];

/** A page that reports every error of the console and of the content policy. */
async function open(browser, options = {}) {
  const context = await browser.newContext({ locale: "zh-CN", viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  page.on("pageerror", (error) => troubles.push(`${page.url()}: ${error.message}`));
  page.on("console", (message) => {
    // A page that answers 4xx on purpose is no error of the page.
    const planned = /Failed to load resource.*status of 4\d\d/.test(message.text());
    if (["error", "warning"].includes(message.type()) && !planned) troubles.push(`${page.url()}: ${message.text()}`);
  });
  return page;
}

async function signIn(page, site, person) {
  await page.goto(`${site.url}/sign-in`);
  await page.locator("#user").fill(person);
  await page.locator("#password").fill(site.password);
  await page.locator("main form button").click();
  await page.waitForURL((url) => !url.pathname.startsWith("/sign-in"));
}

/** What every page owes its readers. */
async function accessible(page, name) {
  const faults = await page.evaluate(() => {
    const faults = [];
    if (document.querySelectorAll("h1").length !== 1) faults.push(`${document.querySelectorAll("h1").length} h1`);
    if (!document.documentElement.lang) faults.push("no language");
    if (!document.title.trim()) faults.push("no title");
    if (!document.querySelector("main")) faults.push("no main");
    for (const control of document.querySelectorAll("input:not([type=hidden]), select, textarea")) {
      const named = control.labels?.length || control.getAttribute("aria-label") || control.getAttribute("aria-labelledby");
      if (!named) faults.push(`no label: ${control.outerHTML.slice(0, 120)}`);
    }
    for (const button of document.querySelectorAll("button, a")) {
      if (!button.textContent.trim() && !button.getAttribute("aria-label")) faults.push(`no words: ${button.outerHTML.slice(0, 120)}`);
    }
    const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
    for (const id of new Set(ids.filter((id, at) => ids.indexOf(id) !== at))) faults.push(`id twice: ${id}`);
    for (const one of document.querySelectorAll("[aria-describedby]")) {
      for (const id of one.getAttribute("aria-describedby").split(/\s+/).filter(Boolean)) if (!document.getElementById(id)) faults.push(`describedby nothing: ${id}`);
    }
    return faults;
  });
  const before = page.viewportSize();
  await page.setViewportSize({ width: 320, height: 800 });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  if (wide > 320) faults.push(`scrolls sideways at 320 px: ${wide}`);
  await picture(page, `${name}-320`);
  await page.setViewportSize(before);
  check(faults.length === 0, `${name}: ${faults.join("; ")}`);
}

async function picture(page, name) {
  await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
}

async function look(page, name) {
  await picture(page, name);
  await accessible(page, name);
}

/** Chooses the outcome and submits the decision of an item's or a link's page. */
async function decide(page, outcome, comment) {
  await page.locator(`input[name=_outcome][value=${outcome}]`).check();
  if (comment) await page.locator("#comment").fill(comment);
  await button(page, "decide").click();
}

/** Opens the newest item of the inbox whose title holds the text. */
async function openItem(page, site, text) {
  const link = page.locator("main ul.list a.main-link", { hasText: text }).first();
  await until(`the inbox shows ${text}`, async () => {
    await page.goto(`${site.url}/inbox`);
    return (await link.count()) > 0;
  });
  await link.click();
}

/** A button as people see it: forms also hide one that answers the Enter key. */
const button = (page, value) => page.locator(`button[name=_act][value="${value}"]:not([aria-hidden])`);

const input = (page, name) => page.locator(`[name="${name}"]`);

/** Chooses one of a few: radio buttons, or a list when there are many. */
async function choose(page, name, value) {
  const list = page.locator(`select[name="${name}"]`);
  if (await list.count()) await list.selectOption(value);
  else await page.locator(`input[name="${name}"][value="${value}"]`).check();
}

/** Fills the form of a sharing application; what may be chosen hangs on the resource. */
async function fillApplication(page, purpose) {
  await choose(page, "resource", "300101/000001");
  await choose(page, "purpose", purpose);
  await input(page, "basis").fill("道路运输执法检查职责");
  await input(page, "scene").fill("路面检查时核对车辆");
  const refresh = button(page, "refresh");
  if (await refresh.count()) await refresh.first().click();
  for (const item of ["号牌", "所有人"]) await page.locator(`input[name="scope.items"][value="${item}"]`).check();
  await choose(page, "scope.mode", "api");
  await input(page, "scope.validTo").fill("2027-04-30");
  await input(page, "security").fill("专网访问,日志留存三年");
  await input(page, "contact").fill("李娜 0532-00000000");
}

const tests = {
  async "an application from the form to the case"(browser, site, shared) {
    const page = await open(browser);
    await page.goto(`${site.url}/sign-in`);
    await look(page, "sign-in");
    await page.locator("#user").fill("li-na");
    await page.locator("#password").fill("wrong");
    await page.locator("main form button").click();
    check((await page.locator("[role=alert]").count()) === 1, "a wrong password is told");
    await look(page, "sign-in-wrong");
    await signIn(page, site, "li-na");
    await look(page, "inbox-empty");
    await page.goto(`${site.url}/start`);
    await look(page, "start-list");
    await page.locator('a[href="/start/sharing/apply"]').click();
    await look(page, "start-form");
    await button(page, "check").click();
    check((await page.locator(".fault-summary a").count()) >= 5, "every missing answer is in the summary");
    await look(page, "start-form-faults");
    await fillApplication(page, "check");
    await button(page, "check").click();
    await button(page, "submit").waitFor();
    const answers = await page.locator("main").innerText();
    for (const text of ["机动车登记信息", "数据校核", "号牌", "2027-04-30"]) check(answers.includes(text), `the check page does not show ${text}`);
    await look(page, "check-answers");
    await button(page, "submit").click();
    await page.waitForURL(/confirmation$/);
    shared.number = await page.locator(".number").innerText();
    check(/^GX\d{4}-\d{5}$/.test(shared.number), `the number is ${shared.number}`);
    await look(page, "confirmation");
    shared.case = page.url().match(/cases\/([^/]+)/)[1];
    await page.goto(`${site.url}/cases`);
    check((await page.locator("main").innerText()).includes(shared.number), "my cases show the application");
    await look(page, "my-cases");
    shared.applicant = page;
  },

  async "the head returns it with a reason at a field, the applicant sends it again"(browser, site, shared) {
    const head = await open(browser);
    await signIn(head, site, "zhao-min");
    await openItem(head, site, "机动车登记信息");
    await look(head, "item");
    await head.locator("details", { has: head.locator("button[value=return]") }).locator("summary").click();
    await head.locator('[name="_field.scene"]').fill("请写明在哪些路段检查");
    await picture(head, "item-return");
    await button(head, "return").click();
    await head.locator("[role=status]").waitFor();
    const page = shared.applicant;
    await openItem(page, site, "机动车登记信息");
    check((await page.locator("main").innerText()).includes("请写明在哪些路段检查"), "the applicant sees what is wrong");
    await look(page, "resubmit");
    await page.locator('[name="scene"]').fill("国省道路面检查时核对车辆");
    await button(page, "resubmit").click();
    await page.locator("[role=status]").waitFor();
    shared.head = head;
  },

  async "the head decides in the inbox and the diagram shows it"(browser, site, shared) {
    const head = shared.head;
    await openItem(head, site, "机动车登记信息");
    check((await head.locator("main").innerText()).includes("国省道路面检查"), "the corrected answer is shown");
    await button(head, "decide").click();
    check((await head.locator(".fault-summary a").count()) === 1, "a decision without an outcome is told");
    await look(head, "item-faults");
    await decide(head, "approved");
    await head.locator("[role=status]").waitFor();
    await head.goto(`${site.url}/inbox?tab=done`);
    await look(head, "inbox-done");
    const page = shared.applicant;
    await page.goto(`${site.url}/cases/${shared.case}`);
    const drawing = page.locator("main svg, main img[src*='diagram']").first();
    check(await drawing.isVisible(), "the diagram is on the page of the case");
    const box = await drawing.boundingBox();
    check(box.width > 200 && box.height > 100, `the diagram is ${box.width} × ${box.height}`);
    await look(page, "case");
  },

  async "the mailbox and its mails"(browser, site, shared) {
    const page = shared.head;
    await page.goto(`${site.url}/mailbox`);
    await until("the mailbox has mails", async () => {
      await page.reload();
      return (await page.locator('main a[href^="/mailbox/"]').count()) >= 3;
    });
    await look(page, "mailbox");
    await page.locator('main a[href^="/mailbox/"]').first().click();
    await page.frameLocator("iframe").locator("a").first().waitFor();
    await look(page, "mail");
  },

  async "English"(browser, site, shared) {
    const page = shared.applicant;
    await page.goto(`${site.url}/cases/${shared.case}`);
    await page.locator("button[name=language][value=en]").click();
    check((await page.locator("html").getAttribute("lang")) === "en", "the page says that it is English");
    check(page.url().endsWith(`/cases/${shared.case}`), "switching stays on the page");
    await look(page, "case-en");
    await page.goto(`${site.url}/start/sharing/apply`);
    check((await page.locator("main").innerText()).includes("Legal basis"), "the form's labels are English");
    await look(page, "start-form-en");
    await page.locator("button[name=language][value=zh-CN]").click();
    check((await page.locator("html").getAttribute("lang")) === "zh-CN", "and back");
  },

  async "a decision without JavaScript, by the link of a mail and in the inbox"(browser, site, shared) {
    const page = await open(browser, { javaScriptEnabled: false });
    await signIn(page, site, "wang-lei");
    await openItem(page, site, "机动车登记信息");
    await decide(page, "approved");
    await page.locator("[role=status]").waitFor();
    const reader = await open(browser, { javaScriptEnabled: false });
    await signIn(reader, site, "chen-jie");
    await until("chen-jie has a mail", async () => {
      await reader.goto(`${site.url}/mailbox?person=chen-jie`);
      return (await reader.locator('main a[href^="/mailbox/"]').count()) > 0;
    });
    await reader.locator('main a[href^="/mailbox/"]').first().click();
    const text = await reader.content();
    const link = text.match(/\/link\/[\w.-]+/);
    check(link, "the mail has a link");
    const stranger = await open(browser, { javaScriptEnabled: false });
    await stranger.goto(site.url + link[0]);
    await picture(stranger, "link");
    await decide(stranger, "approved");
    await stranger.locator("h1").waitFor();
    await picture(stranger, "link-done");
    await stranger.goto(site.url + link[0]);
    check((await stranger.locator("main").innerText()).includes("陈杰"), "the used link says who decided");
    await picture(stranger, "link-over");
    const page2 = shared.applicant;
    await page2.goto(site.url + link[0]);
    await accessible(page2, "link-over");
  },

  async "a draft is kept and gone on with, and several items are decided together"(browser, site, shared) {
    const page = shared.applicant;
    await page.goto(`${site.url}/start/sharing/apply`);
    await input(page, "scene").fill("路面检查时核对车辆");
    await button(page, "save").click();
    await page.locator("[role=status]").waitFor();
    await look(page, "start-draft");
    await page.locator('main a[href="/start/sharing/apply"]').first().click();
    check((await input(page, "scene").inputValue()) === "路面检查时核对车辆", "the draft is shown again");
    await look(page, "form-draft");
    for (const purpose of ["basis", "reference"]) {
      await page.goto(`${site.url}/start/sharing/apply`);
      await fillApplication(page, purpose);
      await button(page, "check").click();
      await button(page, "submit").click();
      await page.waitForURL(/confirmation$/);
    }
    await page.goto(`${site.url}/start`);
    check((await page.locator('main a[href="/start/sharing/apply"]').count()) === 1, "the draft is gone once it is sent");
    const head = shared.head;
    await head.goto(`${site.url}/inbox?marked=all`);
    await look(head, "inbox-marked");
    await head.locator('button[value="choose"]').click();
    await look(head, "together");
    await decide(head, "approved");
    check((await head.locator("h1").innerText()).includes("2"), "both are done");
    await look(head, "together-done");
  },

  async "a fault in a part of an item keeps that part open with what was typed"(browser, site, shared) {
    const page = await open(browser);
    await signIn(page, site, "wang-lei");
    await openItem(page, site, "机动车登记信息");
    const part = page.locator("details", { has: page.locator("button[value=hand]") });
    await part.locator("summary").click();
    await page.locator("#hand-comment").fill("请看第二项");
    await button(page, "hand").click();
    await page.locator(".fault-summary a").waitFor();
    check(await page.locator("#hand-who").isVisible(), "the part with the fault is open");
    check((await page.locator("#hand-comment").inputValue()) === "请看第二项", "what was typed is kept");
    await look(page, "item-part-fault");
  },

  async "public notices and one's own absence"(browser, site, shared) {
    const page = shared.applicant;
    await page.goto(`${site.url}/notices`);
    await look(page, "notices");
    await page.goto(`${site.url}/absence`);
    await button(page, "add").click();
    check((await page.locator('.fault-summary a[href="#from"]').count()) === 1, "a day that is missing is told");
    await page.locator("#from").fill("2030-01-01");
    await page.locator("#who").fill("赵敏");
    await button(page, "add").click();
    await page.locator("[role=status]").waitFor();
    await look(page, "absence");
    await page.locator("button[name=_end]").click();
    await page.locator("[role=status]").waitFor();
    check((await page.locator("button[name=_end]").count()) === 0, "the absence has ended");
  },

  async "no page has errors of script or of its content policy"() {
    check(troubles.length === 0, troubles.join("\n"));
  },
};

async function main() {
  mkdirSync(pictures, { recursive: true });
  const site = await demo();
  const browser = await chromium.launch({ executablePath: found("chromium"), args: flags });
  let passed = 0;
  let failed = 0;
  const shared = {};
  try {
    for (const [name, test] of Object.entries(tests)) {
      const began = Date.now();
      try {
        await test(browser, site, shared);
        passed += 1;
        console.log(`ok     ${name} (${((Date.now() - began) / 1000).toFixed(1)} s)`);
      } catch (error) {
        failed += 1;
        console.log(`FAILED ${name}\n    ${String(error.stack ?? error).replaceAll("\n", "\n    ")}`);
      }
    }
  } finally {
    await browser.close();
    await site.stop();
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed || !passed ? 1 : 0;
}

await main();
