// The pages that are tied to a lab, in headless Chromium: node live.mjs ADDRESS LAB. Prints a line for each test.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { browser, faults, it } from "./lib.mjs";

const [address, lab] = process.argv.slice(2);
// A busy machine is slow, and not wrong.
const timeout = Number(process.env.PATIENCE ?? 90_000);
const { origin } = new URL(address);

// Somebody types this into the lab, in a terminal of their own.
function inLab(...command) {
    return execFileSync("scripts/lab.sh", ["run", "--name", lab, "--", ...command], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
}
const attempt = (...command) => { try { return inLab(...command); } catch (error) { return error.stdout; } };

// A page in a browser of its own, that has shown the token.
async function open(path, options = {}) {
    const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, ...options });
    context.setDefaultTimeout(timeout);
    const page = await context.newPage();
    page.faults = [];
    page.on("pageerror", (error) => page.faults.push(error.message));
    page.on("console", (message) => { if (message.type() === "error") page.faults.push(message.text()); });
    await page.goto(address);
    if (path !== "") await page.goto(`${origin}/${path}`);
    await page.locator(".live-summary").filter({ hasNotText: /^$|Looking/ }).waitFor();
    return page;
}
const close = (page) => page.context().close();

const summary = (page) => page.getByRole("status", { name: "Your machine" });
const says = (locator, text) => locator.filter({ hasText: text }).waitFor();
// The block of a chapter whose commands contain this.
function block(page, text) {
    const box = page.locator("pre", { hasText: text }).first().locator("xpath=following-sibling::div[contains(@class, 'live-run')][1]");
    return { box, news: box.locator(".live-news"), result: box.locator(".live-result") };
}
async function press(box, name) {
    await box.evaluate((one) => { delete one.dataset.state; });
    await box.getByRole("button", { name }).click();
}
async function ends(box, how) {
    await box.and(box.page().locator("[data-state]:not([data-state=waits]):not([data-state=runs])")).waitFor();
    assert.equal(await box.getAttribute("data-state"), how, await box.innerText());
}
async function run(page, text, how = "done") {
    const one = block(page, text);
    await press(one.box, "Run in the lab");
    await ends(one.box, how);
    return one;
}
const rows = (page) => page.locator(".live-rows");
const row = (page, text) => rows(page).locator("> div").filter({ hasText: text }).first().waitFor();
async function terminal(page) {
    const button = page.getByRole("button", { name: "Terminal", exact: true });
    if (await button.getAttribute("aria-expanded") !== "true") await button.click();
    await says(rows(page), "book$");
}

// --- 1: the bar ------------------------------------------------------------------------------------------

attempt("scripts/reset.sh");
await it("the bar says which machine it is, and that it has no hellod", async () => {
    const page = await open("04-notify.html");
    await says(summary(page), "no hellod yet");
    await says(page.locator(".live-which"), "systemd 257");
    assert.deepEqual(page.faults, []);
    await close(page);
});

await it("it follows the machine: state, status, step, checks, and ticks in the table of contents", async () => {
    const page = await open("04-notify.html");
    inLab("scripts/apply.sh", "4");
    await says(summary(page), "hellod is active (running); step 04; 10 of 10 checks pass");
    await says(page.locator(".live-status"), "Status: Greeting every 5s");
    assert.equal(await page.locator("#mdbook-sidebar a.live-reached").count(), 4);
    // Read from the machine, and so the same in another browser.
    const other = await open("01-hello-loop.html");
    await says(summary(other), "step 04; 5 of 5 checks pass");
    await close(other);
    inLab("bash", "-c", "install units/05-graceful-stop/user/hellod.service ~/.config/systemd/user/ && install target/release/step-05 ~/.local/bin/hellod && systemctl --user daemon-reload && systemctl --user restart hellod");
    await says(summary(page), "step 05");
    await close(page);
});

await it("open, it shows each check with its hint, and the journal as it comes; as text", async () => {
    const page = await open("05-graceful-stop.html");
    await page.getByRole("button", { name: "Checks" }).click();
    const details = page.locator("#live-details");
    await says(details, "✓ hellod handles SIGTERM");
    inLab("bash", "-c", "echo '<img src=x onerror=document.title=1>' >$XDG_RUNTIME_DIR/hellod.pipe");
    await says(details.locator(".live-journal"), "Hello, <img src=x onerror=document.title=1>");
    inLab("systemctl", "--user", "stop", "hellod");
    await says(details, "✗ hellod is active");
    await says(details.locator(".live-hint").first(), "systemctl --user status hellod");
    await says(details.locator(".live-journal"), "Stopped hellod.service");
    assert.equal(await page.locator("#live-details img").count(), 0);
    await close(page);
});

await it("stopped, it is at the step whose unit is there, and a unit of your own is told", async () => {
    inLab("scripts/apply.sh", "2");
    inLab("systemctl", "--user", "stop", "hellod");
    const page = await open("02-journal.html");
    await says(summary(page), "hellod is inactive (dead); step 02 in part");
    assert.equal(await page.locator("#mdbook-sidebar a.live-reached").count(), 1);
    inLab("bash", "-c", "sed -i /ExecStart/d ~/.config/systemd/user/hellod.service; systemctl --user daemon-reload");
    await says(summary(page), "with a unit of your own");
    await close(page);
    inLab("scripts/apply.sh", "5");
    inLab("systemctl", "--user", "stop", "hellod");
});

await it("a screen reader hears the sum, and not each line of the journal", async () => {
    const page = await open("05-graceful-stop.html");
    await page.getByRole("button", { name: "Checks" }).click();
    assert.match(await summary(page).innerText(), /\d of \d+ checks pass/);
    assert.equal(await page.locator("[role=status] .live-journal, [aria-live] .live-journal, [role=log]").count(), 0);
    await close(page);
});

// --- 2: checks in the chapter ------------------------------------------------------------------------------

await it("the checks tick by themselves where the chapter shows them", async () => {
    const page = await open("05-graceful-stop.html");
    const list = page.getByRole("group", { name: "Checks on your machine" });
    await says(list, "✗ hellod is active");
    inLab("systemctl", "--user", "start", "hellod");
    await says(list, "Now: 9 of 9 checks pass.");
    inLab("systemctl", "--user", "disable", "hellod");
    await says(list, "✗ hellod is enabled");
    inLab("systemctl", "--user", "enable", "hellod");
    await says(list, "Now: 9 of 9 checks pass.");
    await close(page);
});

await it("looking on leaves nothing in the journal, and says nothing to hellod", async () => {
    const before = inLab("journalctl", "--user", "-q", "-n", "1", "--show-cursor", "-o", "cat").split("-- cursor: ")[1].trim();
    const page = await open("05-graceful-stop.html");
    await says(summary(page), "9 of 9");
    inLab("systemctl", "--user", "restart", "hellod");
    await says(summary(page), "activating");
    await says(summary(page), "9 of 9");
    await close(page);
    const since = inLab("journalctl", "--user", "-q", `--after-cursor=${before}`, "-o", "cat");
    assert.ok(!/check\.sh/.test(since), since);
});

// --- 3: run it in the lab -----------------------------------------------------------------------------------

await it("a block runs, from where the chapter begins, and its answers are as printed; with ^C", async () => {
    inLab("scripts/apply.sh", "1");
    const page = await open("02-journal.html");
    await says(summary(page), "step 01");
    assert.match(await (await run(page, "pid=$(")).news.innerText(), /^As printed/);
    await run(page, "journalctl --user -u hellod -n 3");
    // The shell stays the same through the chapter.
    const { result } = await run(page, "journalctl --user -u hellod -n 1 -f");
    assert.equal(await result.locator(".live-entry").count(), 2);
    assert.match(await result.innerText(), /\^C ✓ as printed/);
    await terminal(page);
    await says(rows(page), "pid=$(systemctl --user show -P MainPID hellod)");
    await page.keyboard.type("echo pid is $pid");
    await page.keyboard.press("Enter");
    await says(rows(page), /pid is \d+/);
    await close(page);
});

await it("Ctrl-C ends what runs, with caps lock too", async () => {
    const page = await open("01-hello-loop.html");
    await terminal(page);
    for (const [time, key] of [[1001, "c"], [1002, "C"]]) {
        await page.locator(".live-keys").focus();
        await page.keyboard.type(`sleep ${time}\n`);
        // It has to run: what is typed before is no signal.
        inLab("timeout", "60", "bash", "-c", `until pgrep -fx 'sleep ${time}'; do sleep 0.1; done`);
        await page.keyboard.press(`Control+${key}`);
        await page.keyboard.type(`echo ended-$((${time} + 1000))\n`);
        await row(page, `ended-${time + 1000}`);
    }
    await close(page);
});

await it("where the lab is elsewhere, it says so, and brings it there", async () => {
    const page = await open("03-keep-running.html");
    const { box, news, result } = block(page, "kill --signal=SIGKILL hellod");
    await press(box, "Run in the lab");
    await ends(box, "elsewhere");
    assert.match(await news.innerText(), /^This block begins where the chapter before ends, and this lab has changed since/);
    await press(box, "Bring the lab here");
    await ends(box, "done");
    assert.match(await result.innerText(), /\$ scripts\/apply.sh 02-journal ✓ done/);
    assert.match(await news.innerText(), /^As printed/);
    await close(page);
});

await it("what stands before a block is run first, if wanted, through a reboot and its login", async () => {
    const page = await open("03-keep-running.html");
    const { box, news, result } = block(page, "enable hellod");
    await press(box, "Run in the lab");
    await ends(box, "elsewhere");
    await press(box, "Run the blocks above");
    await ends(box, "done");
    assert.match(await news.innerText(), /^As printed/, await result.innerText());
    await close(page);
});

await it("what differs is marked, line by line", async () => {
    const page = await open("05-graceful-stop.html");
    const { box, news, result } = block(page, "echo Anna");
    await press(box, "Run in the lab");
    await ends(box, "elsewhere");
    inLab("systemctl", "--user", "stop", "hellod");
    const other = block(page, "systemctl --user start --no-block hellod");
    await press(other.box, "Run in the lab");
    await ends(other.box, "elsewhere");
    await press(other.box, "Run it all the same");
    await ends(other.box, "done");
    assert.match(await other.news.innerText(), /of 2 as printed\. Lines with - were printed/);
    await says(other.result.locator(".live-bad"), "differs");
    assert.ok(await other.result.locator("ins").count() > 0);
    assert.ok(await other.result.locator("del").count() > 0);
    await says(news, /^This block (goes on from|begins where)/);
    await says(result.getByRole("button"), "Bring the lab here");
    await close(page);
});

await it("Stop stops, a second run is refused meanwhile, and the lab can be used afterwards", async () => {
    inLab("scripts/apply.sh", "3");
    const page = await open("04-notify.html");
    await says(summary(page), "step 03");
    const long = block(page, "--unit=endless");
    await press(long.box, "Run in the lab");
    await ends(long.box, "elsewhere");
    await press(long.box, "Run it all the same");
    await says(long.result, "sleep 20");
    const other = block(page, "TimeoutStartSec=4");
    await press(other.box, "Run in the lab");
    await ends(other.box, "refused");
    assert.match(await other.news.innerText(), /one at a time/);
    await press(long.box, "Stop");
    await ends(long.box, "stopped");
    inLab("bash", "-c", "systemctl --user stop endless limited; systemctl --user reset-failed; true");
    await terminal(page);
    await page.keyboard.type("echo still here");
    await page.keyboard.press("Enter");
    await row(page, /^still here/);
    await close(page);
});

// --- 4: the terminal ---------------------------------------------------------------------------------------

const type = async (page, text) => { await page.keyboard.type(text); await page.keyboard.press("Enter"); };

await it("the terminal: colours, Ctrl-C, scrolling back, a reload", async () => {
    const page = await open("05-graceful-stop.html");
    await terminal(page);
    await type(page, "printf '\\e[31mred\\e[0m <b>plain</b>\\n'");
    await says(rows(page).locator("span.t-f1"), "red");
    await row(page, /^red <b>plain<\/b>/);
    assert.equal(await rows(page).locator("b").count(), 0);
    await type(page, "clear; echo asleep; sleep 1000");
    await row(page, /^asleep/);
    await page.keyboard.press("Control+c");
    await type(page, "echo status $?");
    await says(rows(page), "status 130");
    await type(page, "seq 1 300");
    await row(page, /^300/);
    await page.keyboard.press("Shift+PageUp");
    await page.keyboard.press("Shift+PageUp");
    await row(page, /^265/);
    assert.equal(await rows(page).locator("> div").filter({ hasText: /^300/ }).count(), 0);
    await page.locator(".live-screen").hover();
    await page.mouse.wheel(0, 5000);
    for (let times = 0; times < 20; times++) await page.mouse.wheel(0, 100);
    await row(page, /^300/);
    await page.reload();
    await row(page, /^300/);
    await close(page);
});

await it("the terminal: less, nano and top, with arrow keys, and pasting", async () => {
    const page = await open("05-graceful-stop.html");
    await terminal(page);
    await type(page, "clear; less CONTRIBUTING.md");
    await says(rows(page), "# Contributing");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    await rows(page).filter({ hasNotText: "# Contributing" }).waitFor();
    await page.keyboard.type("q");
    await type(page, "clear; nano /tmp/note");
    await says(rows(page), "GNU nano");
    await page.evaluate(() => {
        const data = new DataTransfer();
        data.setData("text", "one\ntwo");
        document.querySelector(".live-keys").dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, cancelable: true }));
    });
    await row(page, /^two/);
    await page.keyboard.press("Home");
    await page.keyboard.type("number ");
    await page.keyboard.press("Control+s");
    await says(rows(page), "Wrote 2 lines");
    await page.keyboard.press("Control+x");
    await says(rows(page), "book$");
    assert.equal(inLab("cat", "/tmp/note").trim(), "one\nnumber two");
    await type(page, "clear; top");
    await says(rows(page), "load average");
    await page.keyboard.type("q");
    await says(rows(page), "book$"); // top throws away what is typed before it has ended
    await type(page, "stty size");
    const before = await rows(page).locator("> div").count();
    await says(rows(page), `${before} 120`);
    await page.getByRole("button", { name: "Taller" }).click();
    await page.waitForFunction((before) => document.querySelectorAll(".live-rows > div").length === before + 6, before);
    await page.locator(".live-screen").click();
    await type(page, "clear; stty size");
    await says(rows(page), `${before + 6} 120`);
    await close(page);
});

await it("the terminal: a keyboard reaches it, uses Tab in it, and leaves it", async () => {
    const page = await open("05-graceful-stop.html");
    await page.getByRole("button", { name: "Terminal", exact: true }).focus();
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.activeElement.className === "live-keys");
    await says(rows(page), "book$");
    await page.keyboard.type("clear; cat REA");
    await page.keyboard.press("Tab");
    await says(rows(page), "cat README.md");
    await page.keyboard.press("Control+c");
    await page.keyboard.press("F6");
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "Terminal");
    await page.keyboard.press("Enter");
    assert.ok(!await page.locator("#live-panel").isVisible());
    await close(page);
});

await it("the terminal: comes back after the shell is left, and after a reboot of the lab", async () => {
    const page = await open("05-graceful-stop.html");
    await terminal(page);
    const fresh = () => page.waitForFunction(() => document.querySelector(".live-rows").textContent.trim() === "learner@lab:~/book$");
    await type(page, "echo left; exit");
    await fresh();
    const boot = () => inLab("cat", "/proc/sys/kernel/random/boot_id");
    const before = boot();
    await type(page, "sudo systemctl reboot");
    await says(rows(page), "the shell has ended; logging in again");
    await fresh();
    assert.notEqual(boot(), before);
    await type(page, "echo back again");
    await row(page, /^back again/);
    await says(summary(page), /hellod|step/);
    await close(page);
});

await it("a hundred megabytes of output: the page stays usable, and Ctrl-C ends it", async () => {
    const page = await open("05-graceful-stop.html");
    await terminal(page);
    await type(page, "clear; yes hello | head -c 100M; echo all of it");
    await says(rows(page), "hello");
    await page.getByRole("button", { name: "Checks" }).click();
    await says(page.locator("#live-details"), "Checks of step 05");
    await page.getByRole("button", { name: "Terminal", exact: true }).click();
    await page.getByRole("button", { name: "Ctrl-C" }).click();
    await type(page, "clear; echo it is over");
    await row(page, /^it is over/);
    await close(page);
});

// --- 5: another systemd --------------------------------------------------------------------------------------

await it("a block runs on another systemd, and the page marks what that one says", async () => {
    const page = await open("01-hello-loop.html");
    const { box, result } = block(page, "systemctl --user start hellod");
    await box.getByRole("combobox").selectOption("bookworm");
    await press(box, "Run in the lab");
    await ends(box, "done");
    assert.match(await result.innerText(), /systemctl --user start hellod/);
    const version = block(page, "env -u XDG_RUNTIME_DIR");
    await version.box.getByRole("combobox").selectOption("bookworm");
    await press(version.box, "Run in the lab");
    await ends(version.box, "done");
    assert.match(await version.news.innerText(), /Lines with - are those of systemd 257, lines with \+ of 252/);
    await close(page);
});

// --- 6: exercises --------------------------------------------------------------------------------------------

await it("an exercise: hints one by one, a check that fails, and one that passes", async () => {
    inLab("scripts/apply.sh", "1");
    const page = await open("01-hello-loop.html");
    const box = page.locator("h3", { hasText: "Exercise 1.1" }).locator("xpath=following-sibling::div[1]");
    await box.getByRole("button", { name: "A hint" }).click();
    await box.locator(".live-hints li").first().waitFor();
    await press(box, "Check it in the lab");
    await ends(box, "done");
    await says(box, "✗ Not yet.");
    await says(box, "Hint:");
    inLab("scripts/exercise.sh", "1.1", "--solve");
    await press(box, "Check it in the lab");
    await ends(box, "done");
    await says(box, "✓ The check passes.");
    inLab("scripts/exercise.sh", "1.1", "--back");
    for (;;) {
        const more = box.getByRole("button", { name: "A hint" });
        if (await more.count() === 0) break;
        const before = await box.locator(".live-hints li").count();
        await more.click();
        await page.waitForFunction(([one, before]) => one.querySelectorAll(".live-hints li").length > before, [await box.elementHandle(), before]);
    }
    await says(box, "That was the last hint");
    await close(page);
});

// --- all of it, for everybody ----------------------------------------------------------------------------------

for (const colorScheme of ["light", "dark"]) {
    for (const width of [1200, 400]) {
        await it(`axe-core finds nothing serious, and nothing overflows, ${colorScheme}, ${width} px`, async () => {
            for (const path of ["index.html", "01-hello-loop.html"]) {
                const page = await open(path, { colorScheme, viewport: { width, height: 800 } });
                for (const name of ["Checks", "Terminal"]) {
                    await page.getByRole("button", { name, exact: true }).click();
                    assert.deepEqual(await faults(page), [], `${path}, ${name}`);
                    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${path}, ${name}`);
                }
                await close(page);
            }
        });
    }
}

await it("on paper there is nothing of it", async () => {
    const page = await open("01-hello-loop.html");
    await page.emulateMedia({ media: "print" });
    for (const part of [".live", ".live-run", ".live-checks"]) {
        for (const one of await page.locator(part).all()) assert.ok(!await one.isVisible(), part);
    }
    await close(page);
});

await it("without JavaScript the page is as without a companion", async () => {
    const page = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
    await page.goto(`${origin}/01-hello-loop.html`);
    assert.equal(await page.getByRole("button", { name: "Run in the lab" }).count(), 0);
    assert.ok((await page.textContent("main")).includes("$ systemctl --user start hellod"));
    await close(page);
});

await it("ten pages on one lab, in one browser, are all told", async () => {
    inLab("scripts/apply.sh", "1");
    const page = await open("01-hello-loop.html");
    const pages = [page];
    while (pages.length < 10) {
        const another = await page.context().newPage();
        await another.goto(`${origin}/01-hello-loop.html`);
        pages.push(another);
    }
    for (const one of pages) await says(summary(one), "5 of 5 checks pass");
    inLab("systemctl", "--user", "stop", "hellod");
    for (const one of pages) await says(summary(one), "hellod is inactive (dead)");
    await close(page);
});

await it("a browser without the token sees the book, and is told how to see more", async () => {
    const page = await (await browser.newContext()).newPage();
    await page.goto(`${origin}/01-hello-loop.html`);
    await says(page.locator(".live-summary"), "open the address that scripts/serve.sh has printed");
    assert.equal(await page.getByRole("button", { name: "Run in the lab" }).count(), 0);
    assert.ok(!await page.getByRole("button", { name: "Terminal", exact: true }).isVisible());
    await close(page);
});

await it("the book is built anew when a chapter changes, and the page shows it", async () => {
    const page = await open("about.html");
    const loaded = page.waitForEvent("load");
    execFileSync("touch", ["src/about.md"]);
    await loaded;
    await close(page);
});

await it("the lab ends, and comes again: the page says so, and finds itself", async () => {
    const page = await open("01-hello-loop.html");
    await terminal(page);
    execFileSync("scripts/lab.sh", ["down", "--name", lab]);
    await says(summary(page), `There is no lab '${lab}'`);
    const { box, news } = block(page, "unit-paths");
    await press(box, "Run in the lab");
    await ends(box, "failed");
    assert.match(await news.innerText(), /There is no lab/);
    execFileSync("scripts/lab.sh", ["up", "--name", lab], { stdio: "ignore" });
    await says(summary(page), "no hellod yet");
    await says(rows(page), "book$");
    await close(page);
});

await browser.close();
