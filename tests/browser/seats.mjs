// How late the pages of a busy workshop are: node seats.mjs ORIGIN FOLDER COUNT. Prints names and milliseconds, for
// scripts/bench.sh. All seats but the last are brought to step 07 by the caller; the last stops and starts.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { browser } from "./lib.mjs";

const [origin, folder, count] = process.argv.slice(2);
const words = Object.fromEntries(readFileSync(`${folder}/words`, "utf8").trim().split("\n").map((line) => line.split(" ")));
const last = `seat-${String(count).padStart(2, "0")}`;
const open = async (place) => {
    const page = await (await browser.newContext()).newPage();
    page.setDefaultTimeout(300_000);
    await page.goto(`${origin}/${place}/?token=${words[place]}`);
    return page;
};
const [board, page] = [await open("board"), await open(last)];

// A shell in the seat that says when it has run something.
const shell = spawn("scripts/lab.sh", ["run", "--name", last, "--", "bash"], { stdio: ["pipe", "pipe", "ignore"] });
const run = (command) => new Promise((resolve) => {
    let all = "";
    const hear = (data) => { all += data; if (all.endsWith("said\n")) { shell.stdout.off("data", hear); resolve(all); } };
    shell.stdout.on("data", hear);
    shell.stdin.write(`${command}; echo said\n`);
});
await run("scripts/apply.sh 3 &>/dev/null");
await page.locator(".live-summary").filter({ hasText: "hellod is active" }).waitFor();
await board.locator("#seats .seat").nth(count - 1).filter({ hasText: "hellod is active" }).waitFor();
console.log("ready");

// When the text of a place first says a word; the browser's clock is this machine's.
const seen = (page, selector, word) => page.evaluate(([selector, word]) => new Promise((resolve) => {
    const look = () => {
        if (!document.querySelector(selector)?.textContent.includes(word)) return false;
        resolve(Date.now());
        return true;
    };
    if (look()) return;
    const observer = new MutationObserver(() => { if (look()) observer.disconnect(); });
    observer.observe(document.body, { childList: true, characterData: true, subtree: true });
}), [selector, word]);
const inPage = (word) => seen(page, ".live-summary", word);
const onBoard = (word) => seen(board, `#seats li:nth-child(${count})`, word);

const begin = Date.now();
const all = board.locator("#steps li").last().locator(".count").filter({ hasText: String(count - 1) }).waitFor().then(() => Date.now());
let applied = 0;
all.then((time) => { applied = time; });
const [late, board_late] = [[], []];
do {
    for (const [command, word] of [["stop", "hellod is inactive"], ["start", "hellod is active"]]) {
        const both = Promise.all([inPage(word), onBoard(word)]);
        const time = Number((await run(`systemctl --user ${command} hellod; date +%s%3N`)).split("\n").at(-3));
        const [one, two] = await both;
        late.push(one - time);
        board_late.push(two - time);
    }
} while (!applied);
const sorted = (all) => all.sort((a, b) => a - b);
const middle = (all) => sorted(all)[Math.floor(all.length / 2)];
console.log("median", middle(late));
console.log("longest", sorted(late).at(-1));
console.log("board", middle(board_late));
console.log("boardlongest", sorted(board_late).at(-1));
console.log("applied", applied - begin);
shell.kill();
process.exit();
