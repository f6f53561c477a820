// What the browser tests share.
import { chromium } from "playwright-core";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

// A busy machine is slow, and not wrong.
export const timeout = Number(process.env.PATIENCE ?? 180_000);

export const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export const browser = await chromium.launch({
    timeout,
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    // Root has no sandbox to use; the rest keeps the browser itself from asking for things.
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

// As it() of tests/lib.sh has it.
const about = process.env.ABOUT ? `${process.env.ABOUT}: ` : "";
// ONLY names the tests to run, for whoever works on one of them.
export async function it(what, test) {
    if (process.env.ONLY && !what.includes(process.env.ONLY)) return;
    const begin = Date.now();
    try {
        await test();
        console.log(`ok      ${about}${what}${process.env.TIMES ? ` (${Date.now() - begin} ms)` : ""}`);
    } catch (error) {
        console.log(`FAILED  ${about}${what}\n        ${String(error.message).replaceAll("\n", "\n        ")}`);
    }
}

// What axe-core calls serious or critical, contrast included.
export async function faults(page) {
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run({ resultTypes: ["violations"] }));
    return violations.filter(({ impact }) => impact === "serious" || impact === "critical")
        .map(({ id, nodes }) => `${id}, ${nodes.length} times, first at ${nodes[0].target}`);
}
