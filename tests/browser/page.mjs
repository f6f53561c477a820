// The served book in headless Chromium: node page.mjs ADDRESS. Prints a line for each test.
import { chromium } from "playwright-core";
import assert from "node:assert/strict";

const address = process.argv[2];
const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    // Root has no sandbox to use; the rest keeps the browser itself from asking for things.
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

async function it(what, test) {
    try {
        await test();
        console.log(`ok      ${what}`);
    } catch (error) {
        console.log(`FAILED  ${what}\n        ${String(error.message).replaceAll("\n", "\n        ")}`);
    }
}

// A page in a fresh context; remembers what it asked for and what went wrong.
async function open(path, options = {}) {
    const context = await browser.newContext(options);
    await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: address }).catch(() => {});
    const page = await context.newPage();
    page.elsewhere = [];
    page.faults = [];
    page.on("request", (request) => {
        if (!request.url().startsWith(`${address}/`)) page.elsewhere.push(request.url());
    });
    page.on("response", (response) => {
        if (response.status() >= 400) page.faults.push(`${response.status()} ${response.url()}`);
    });
    page.on("pageerror", (error) => page.faults.push(error.message));
    await page.goto(`${address}/${path}`, { waitUntil: "networkidle" });
    return page;
}

const start = await open("index.html");
const pages = await start.$$eval("#mdbook-sidebar a[href], .sidebar a[href]", (links) =>
    [...new Set(links.map((link) => new URL(link.href).pathname.slice(1)))].filter((path) => path.endsWith(".html")));

await it("the table of contents names the chapters", async () => {
    assert.ok(pages.length >= 5, pages.join(" "));
});

const ids = new Map();
const links = [];
for (const path of pages) {
    const page = await open(path);
    await it(`${path}: shows, complete, and asks nobody else for anything`, async () => {
        assert.ok(await page.locator("main h1").first().isVisible());
        assert.deepEqual(page.faults, []);
        assert.deepEqual(page.elsewhere, []);
        const empty = await page.$$eval("main pre code", (blocks) =>
            blocks.filter((block) => block.textContent.trim() === "").length);
        assert.equal(empty, 0, "empty code blocks");
        assert.ok(!(await page.textContent("main")).includes("{{#"));
    });
    ids.set(path, new Set(await page.$$eval("[id]", (all) => all.map((one) => one.id))));
    links.push(...await page.$$eval("main a[href]", (all) => all.map((one) => one.href))
        .then((all) => all.map((href) => [path, href])));
    await page.setViewportSize({ width: 400, height: 800 });
    await it(`${path}: does not overflow at 400 px`, async () => {
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    });
    await page.context().close();
}

await it("every link and every anchor in it resolve", async () => {
    assert.ok(links.length > 10);
    for (const [from, href] of links) {
        const url = new URL(href);
        if (url.origin !== address) {
            assert.equal(url.protocol, "https:", `${from}: ${href}`);
            continue;
        }
        const path = url.pathname.slice(1);
        assert.ok(ids.has(path), `${from}: there is no ${path}`);
        const anchor = decodeURIComponent(url.hash.slice(1));
        assert.ok(anchor === "" || ids.get(path).has(anchor), `${from}: there is no ${path}#${anchor}`);
    }
});

await it("the search finds a word in the chapter that has it", async () => {
    const page = await open("index.html");
    await page.keyboard.press("/");
    await page.locator("#mdbook-searchbar").pressSequentially("lingering");
    await page.locator("#mdbook-searchresults a[href*='03-keep-running']").first().waitFor({ timeout: 10000 });
    await page.context().close();
});

await it("copying a session gives its commands, with the button and by hand", async () => {
    const page = await open("01-hello-loop.html");
    const block = page.locator("pre", { hasText: "daemon-reload" }).first();
    await block.hover();
    await block.locator(".clip-button").click();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    const commands = ["cargo build --release --package step-01",
        "install -D target/release/step-01 ~/.local/bin/hellod",
        "install -D -m 644 units/01-hello-loop/user/hellod.service ~/.config/systemd/user/hellod.service",
        "systemctl --user daemon-reload"];
    assert.deepEqual(copied.split("\n"), commands);
    const selected = await block.locator("code").evaluate((code) => {
        getSelection().selectAllChildren(code);
        return getSelection().toString();
    });
    assert.deepEqual(selected.trim().split("\n").filter((line) => line.trim() !== ""), commands);
    await page.context().close();
});

await it("an answer that begins with # is no command", async () => {
    const page = await open("06-system-service.html");
    const block = page.locator("pre", { hasText: "systemctl cat hellod" }).first();
    const commands = await block.locator("code").getAttribute("data-commands");
    assert.ok(commands.includes("systemctl cat hellod") && !commands.includes("override.conf\n["), commands);
    assert.ok(!commands.split("\n").some((line) => line.startsWith("/etc/")), commands);
    await page.context().close();
});

await it("without JavaScript the chapter still shows", async () => {
    const page = await open("02-journal.html", { javaScriptEnabled: false });
    assert.ok(await page.locator("main h1").first().isVisible());
    assert.ok((await page.textContent("main")).includes("$ journalctl --user -u hellod"));
    await page.context().close();
});

await browser.close();
