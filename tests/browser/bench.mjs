// How quick the page is: node bench.mjs ADDRESS LAB ROUNDS. Prints names and milliseconds, for scripts/bench.sh.
import { execFileSync, spawn } from "node:child_process";
import { browser } from "./lib.mjs";

const [address, lab, rounds] = process.argv.slice(2);
const { origin } = new URL(address);
const inLab = (...command) => execFileSync("scripts/lab.sh", ["run", "--name", lab, "--", ...command], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
const median = (all) => all.sort((a, b) => a - b)[Math.floor(all.length / 2)];

const page = await (await browser.newContext({ viewport: { width: 1200, height: 900 } })).newPage();
await page.goto(address);
await page.goto(`${origin}/05-graceful-stop.html`);
inLab("scripts/apply.sh", "5");
const summary = page.locator(".live-summary");
await summary.filter({ hasText: "9 of 9" }).waitFor();

// A shell in the lab that says when it has run something, so that a login is not measured.
const shell = spawn("scripts/lab.sh", ["run", "--name", lab, "--", "bash"], { stdio: ["pipe", "pipe", "ignore"] });
const said = () => new Promise((resolve) => shell.stdout.once("data", (data) => resolve(String(data))));

// From the moment at which the manager has stopped it to the mark; both clocks are this machine's.
const marks = [];
for (let round = 0; round < rounds; round++) {
    const marked = page.evaluate(() => new Promise((resolve) => {
        const summary = document.querySelector(".live-summary");
        new MutationObserver((_, observer) => {
            if (!summary.textContent.includes("inactive")) return;
            observer.disconnect();
            resolve(Date.now());
        }).observe(summary, { childList: true, characterData: true, subtree: true });
    }));
    const answer = said();
    shell.stdin.write("date +%s%3N; systemctl --user stop hellod\n");
    const begin = Number(await answer);
    marks.push(await marked - begin);
    inLab("bash", "-c", "systemctl --user reset-failed hellod; systemctl --user start hellod");
    await summary.filter({ hasText: "9 of 9" }).waitFor();
}
console.log("mark", median(marks));

await page.getByRole("button", { name: "Terminal", exact: true }).click();
await page.locator(".live-rows").filter({ hasText: "book$" }).waitFor();
await page.keyboard.type("# ");
await page.waitForTimeout(500);
const echoes = await page.evaluate(async (rounds) => {
    const rows = document.querySelector(".live-rows");
    const keys = document.querySelector(".live-keys");
    const times = [];
    for (let round = 0; round < rounds; round++) {
        const begin = performance.now();
        const drawn = new Promise((resolve) => {
            new MutationObserver((_, observer) => { observer.disconnect(); resolve(performance.now()); })
                .observe(rows, { childList: true, characterData: true, subtree: true });
        });
        keys.value = "x";
        keys.dispatchEvent(new InputEvent("input"));
        times.push(await drawn - begin);
        await new Promise((resolve) => setTimeout(resolve, 60));
    }
    return times;
}, rounds * 5);
console.log("echo", median(echoes));
await page.keyboard.press("Control+c");
await page.getByRole("button", { name: "Terminal", exact: true }).click();

// What the page needs while nothing happens but the greetings; the caller looks at the processes.
console.log("idle");
await new Promise((resolve) => process.stdin.once("data", resolve));

// The same session from its first to its last block, as a replay has typed it.
await page.goto(`${origin}/04-notify.html`);
inLab("scripts/apply.sh", "3");
await summary.filter({ hasText: "step 03" }).waitFor();
const boxes = page.locator(".live-run:has(.live-select)");
await page.$$eval("main details:not(.live-entry)", (all) => all.forEach((one) => { one.open = true; }));
const begin = Date.now();
let between = 0;
for (let at = 0; at < await boxes.count(); at++) {
    const clicked = Date.now();
    await boxes.nth(at).getByRole("button", { name: "Run in the lab" }).click();
    between += Date.now() - clicked;
    await boxes.nth(at).and(page.locator("[data-state=done]")).waitFor();
}
console.log("run", Date.now() - begin - between);
shell.kill();
process.exit();
