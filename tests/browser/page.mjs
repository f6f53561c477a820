// The served book in headless Chromium: node page.mjs ADDRESS. Prints a line for each test.
import assert from "node:assert/strict";
import { browser, faults, it, timeout } from "./lib.mjs";

const address = process.argv[2];

// A page in a fresh context; remembers what it asked for and what went wrong.
async function open(path, options = {}) {
    const context = await browser.newContext(options);
    await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: address }).catch(() => {});
    context.setDefaultTimeout(timeout);
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

// What is on the clipboard, once the page has said that it is there.
async function copied(page) {
    await page.locator(".tooltiptext:visible", { hasText: "Copied!" }).waitFor();
    return page.evaluate(() => navigator.clipboard.readText());
}

const start = await open("index.html");
const pages = await start.$$eval("#mdbook-sidebar a[href], .sidebar a[href]", (links) =>
    [...new Set(links.map((link) => new URL(link.href).pathname.slice(1)))].filter((path) => path.endsWith(".html")));

await it("the table of contents names the chapters", async () => {
    assert.ok(pages.length >= 5, pages.join(" "));
});
pages.push("print.html");

// By theme and width.
for (const colorScheme of ["light", "dark"]) {
    for (const width of [1200, 400]) {
        await it(`axe-core finds nothing serious, ${colorScheme}, ${width} px`, async () => {
            const found = [];
            for (const path of pages) {
                const page = await open(path, { colorScheme, viewport: { width, height: 900 } });
                found.push(...(await faults(page)).map((fault) => `${path}: ${fault}`));
                await page.context().close();
            }
            assert.deepEqual(found, []);
        });
    }
}

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
    await page.locator("#mdbook-searchresults a[href*='03-keep-running']").first().waitFor();
    await page.context().close();
});

await it("copying a session gives its commands, with the button and by hand", async () => {
    const page = await open("01-hello-loop.html");
    const block = page.locator("pre", { hasText: "daemon-reload" }).first();
    await block.hover();
    await block.locator(".clip-button").click();
    const commands = ["cargo build --release --package step-01",
        "install -D target/release/step-01 ~/.local/bin/hellod",
        "install -D -m 644 units/01-hello-loop/user/hellod.service ~/.config/systemd/user/hellod.service",
        "systemctl --user daemon-reload"];
    assert.deepEqual((await copied(page)).split("\n"), commands);
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

await it("a command is seen as a whole, without scrolling", async () => {
    const page = await open("print.html", { viewport: { width: 1200, height: 900 } });
    await page.$$eval("details", (all) => all.forEach((one) => { one.open = true; }));
    const [count, cut] = await page.$$eval(".command", (all) => [all.length, all.filter((one) =>
        one.getBoundingClientRect().right > one.closest("code").getBoundingClientRect().right).map((one) => one.textContent)]);
    assert.ok(count > 200);
    assert.deepEqual(cut, []);
    await page.context().close();
});

await it("each session says who types", async () => {
    const page = await open("print.html");
    const blocks = await page.$$eval("code.language-console", (all) => all.map((code) =>
        [code.dataset.commands, getComputedStyle(code.parentElement, "::before").content]));
    assert.ok(blocks.length > 50);
    for (const [commands, says] of blocks) {
        assert.equal(says.includes("sudo"), /(^|[|;] )sudo /m.test(commands), `${says}: ${commands}`);
        assert.ok(says.includes("you type"), says);
    }
    await page.context().close();
});

await it("a long answer scrolls inside of its block, and is all there on paper", async () => {
    const page = await open("print.html");
    const tall = () => page.$$eval("code.language-console", (all) => all.filter((one) => one.scrollHeight > one.clientHeight + 1).length);
    const wide = () => page.$$eval("main pre > code", (all) => all.filter((one) => one.scrollWidth > one.clientWidth + 1).length);
    await page.setViewportSize({ width: 400, height: 800 });
    assert.ok(await wide() > 0);
    assert.ok(await page.$$eval("code.language-console", (all) => all.every((one) => one.clientHeight < 800)));
    await page.emulateMedia({ media: "print" });
    assert.equal(await tall(), 0);
    assert.equal(await wide(), 0);
    await page.context().close();
});

await it("on paper the solutions are open, with and without JavaScript", async () => {
    for (const javaScriptEnabled of [true, false]) {
        const page = await open("05-graceful-stop.html", { javaScriptEnabled });
        const solution = page.locator("details pre").first();
        assert.ok(!await solution.isVisible());
        await page.emulateMedia({ media: "print" });
        assert.ok(await solution.isVisible());
        await page.context().close();
    }
});

await it("a diff says which file it is of, and shows what came and went in other colours", async () => {
    for (const colorScheme of ["light", "dark"]) {
        const page = await open("print.html", { colorScheme });
        const diffs = await page.$$eval("code.language-diff", (all) => all.map((code) => {
            const color = (kind) => [...code.querySelectorAll(kind)].map((one) => getComputedStyle(one).color)[0];
            return { text: code.textContent, plain: getComputedStyle(code).color,
                came: color(".hljs-addition"), went: color(".hljs-deletion") };
        }));
        assert.ok(diffs.length >= 8);
        for (const { text, plain, came, went } of diffs) {
            assert.match(text, /^--- (\/dev\/null|(a\/)?(steps|units)\/.*)\n\+\+\+ (b\/)?(steps|units)\//);
            const colors = [plain, came, went].filter(Boolean);
            assert.equal(new Set(colors).size, colors.length, `${colors}: ${text}`);
        }
        await page.context().close();
    }
});

await it("a keyboard reaches everything, and works the table of contents", async () => {
    const page = await open("05-graceful-stop.html");
    const wanted = await page.evaluate(() => {
        const all = [...document.querySelectorAll("a[href], button, summary, [tabindex='0'], input")].filter((one) =>
            one.checkVisibility({ visibilityProperty: true }) && one.getClientRects().length > 0 && one.tabIndex >= 0 && !one.disabled);
        all.forEach((one, number) => { one.dataset.number = number; });
        return all.length;
    });
    const reached = new Set();
    for (let tabs = 0; tabs < wanted + 30; tabs++) {
        await page.keyboard.press("Tab");
        reached.add(await page.evaluate(() => document.activeElement.dataset?.number));
    }
    reached.delete(undefined);
    const missed = await page.$$eval("[data-number]", (all, reached) =>
        all.filter((one) => !reached.includes(one.dataset.number)).map((one) => one.outerHTML.slice(0, 100)), [...reached]);
    assert.deepEqual(missed, []);
    assert.ok(wanted > 40);
    // A copy button by its key.
    const block = page.locator("pre:has(code.language-console)").first();
    await block.locator(".clip-button").focus();
    await page.waitForFunction((one) => getComputedStyle(one).opacity === "1", await block.locator(".buttons").elementHandle());
    await page.keyboard.press("Enter");
    assert.equal(await copied(page), await block.locator("code").getAttribute("data-commands"));
    const shown = () => page.evaluate(() => document.documentElement.classList.contains("sidebar-visible"));
    const before = await shown();
    await page.locator("#mdbook-sidebar-toggle").focus();
    await page.keyboard.press("Enter");
    assert.notEqual(await shown(), before);
    await page.context().close();
});

await it("without JavaScript the chapter still shows", async () => {
    const page = await open("02-journal.html", { javaScriptEnabled: false });
    assert.ok(await page.locator("main h1").first().isVisible());
    assert.ok((await page.textContent("main")).includes("$ journalctl --user -u hellod"));
    await page.context().close();
});

await browser.close();
