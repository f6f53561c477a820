// The pages that are tied to this machine, and not to a lab: node here.mjs ADDRESS. Prints a line for each test.
import assert from "node:assert/strict";
import { browser, it } from "./lib.mjs";

const address = process.argv[2];
const { origin } = new URL(address);

await it("this machine is looked at, and never typed into", async () => {
    const page = await (await browser.newContext()).newPage();
    await page.goto(address);
    await page.goto(`${origin}/01-hello-loop.html`);
    // What it is: here, where no systemd runs, why it cannot be looked at.
    await page.locator(".live-which").filter({ hasText: "This machine" }).waitFor();
    await page.locator(".live-summary").filter({ hasText: /hellod|systemd|root/ }).waitFor();
    await page.getByRole("button", { name: "A hint" }).first().waitFor();
    for (const name of ["Run in the lab", "Check it in the lab"]) assert.equal(await page.getByRole("button", { name }).count(), 0);
    assert.ok(!await page.getByRole("button", { name: "Terminal", exact: true }).isVisible());
    // Whoever asks all the same is refused.
    const refused = await page.evaluate(() => new Promise((resolve) => {
        const socket = new WebSocket(`ws://${location.host}/live`);
        const said = [];
        socket.onopen = () => {
            socket.send(JSON.stringify({ play: { suite: "trixie", job: { exercise: { number: "1.1" } } } }));
            socket.send(JSON.stringify({ keys: "id\r" }));
        };
        socket.onmessage = ({ data }) => {
            const { refused } = JSON.parse(data);
            if (refused) said.push(refused);
            if (said.length === 2) resolve(said);
        };
    }));
    assert.match(refused[0], /there is no lab/);
    assert.match(refused[1], /this machine is never typed into/);
});

await browser.close();
