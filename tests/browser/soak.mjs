// Many seats at once for some minutes: node soak.mjs ORIGIN FOLDER COUNT MINUTES. Each goes through chapters 1 and 2 over and over,
// types its own name and holds things up, while labs are killed and connections are cut at random. Prints a
// line for each test.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { browser, it } from "./lib.mjs";

const [origin, folder, count, minutes] = [process.argv[2], process.argv[3], Number(process.argv[4]), Number(process.argv[5])];
const words = Object.fromEntries(readFileSync(`${folder}/words`, "utf8").trim().split("\n").map((line) => line.split(" ")));
const places = Array.from({ length: count }, (_, at) => `seat-${String(at + 1).padStart(2, "0")}`);
const server = readFileSync(`${folder}/pid`, "utf8").trim();
const pss = () => Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${server}/smaps_rollup`, "utf8"))[1]) / 1000;
const available = () => Number(/^MemAvailable:\s+(\d+)/m.exec(readFileSync("/proc/meminfo", "utf8"))[1]) / 1000;
const sleep = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

// One page has all cookies, and a socket for each seat: what a browser with many windows has.
const page = await (await browser.newContext()).newPage();
for (const place of places) await page.goto(`${origin}/${place}/?token=${words[place]}`);
await page.exposeFunction("tell", (line) => console.error(line));
await page.evaluate(([places, minutes]) => {
    const sleep = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    globalThis.soak = { until: Date.now() + minutes * 60_000, seats: {} };
    for (const place of places) {
        const seat = soak.seats[place] = { played: 0, broken: [], cuts: 0, typed: 0, wrong: [], flag: null, up: false, flags: 0, screen: [], restarts: 0 };
        const connect = () => new Promise((resolve) => {
            const socket = seat.socket = new WebSocket(new URL(`/${place}/live`, location.href).href.replace("http", "ws"));
            socket.onopen = () => { seat.say({ terminal: true }); resolve(); };
            socket.onclose = () => { seat.ended?.("cut"); if (!seat.over) setTimeout(() => connect().then(resolve), 500); };
            socket.onmessage = ({ data }) => {
                const heard = JSON.parse(data);
                // Whatever names a lab or a seat has to name this one.
                if (heard.machine?.lab && heard.machine.lab !== place) seat.wrong.push(data);
                if (heard.machine) seat.up = Boolean(heard.machine.system);
                if (heard.seat) {
                    if (`seat-${String(heard.seat.number).padStart(2, "0")}` !== place) seat.wrong.push(data);
                    if (heard.seat.note.startsWith("Your lab ended")) seat.restarted = true;
                    seat.flag = heard.seat.flag;
                }
                if (heard.screen) {
                    for (const [at, pieces] of heard.screen.changed) seat.screen[at] = pieces.map(([text]) => text).join("");
                    const others = seat.screen.join("\n").match(/name-(seat-\d+)/g) ?? [];
                    for (const one of others) if (one !== `name-${place}`) seat.wrong.push(one);
                }
                if (heard.run?.ends) seat.ended?.(heard.run.ends, heard.run);
                if (heard.refused || heard.run?.ends) seat.last = data.slice(0, 300);
                if (heard.refused) seat.ended?.(heard.refused);
                if (heard.chapter) seat.chapter?.(heard.chapter.blocks);
            };
        });
        // Whether it could be said.
        seat.say = (message) => {
            const open = seat.socket.readyState === WebSocket.OPEN;
            if (open) seat.socket.send(JSON.stringify(message));
            return open;
        };
        const wait = (name, seconds) => Promise.race([new Promise((resolve) => { seat[name] = (...all) => resolve(all); }), sleep(seconds).then(() => ["late"])]);
        (async () => {
            await connect();
            while (Date.now() < soak.until) {
                for (const step of ["01-hello-loop", "02-journal"]) {
                    while (seat.socket.readyState !== WebSocket.OPEN) await sleep(0.2);
                    const asked = wait("chapter", 20);
                    seat.say({ chapter: step });
                    const [blocks] = await asked;
                    if (!Array.isArray(blocks)) continue;
                    for (const { part, text } of blocks) {
                        if (Date.now() > soak.until || !/^\$ /m.test(text)) continue;
                        while (seat.socket.readyState !== WebSocket.OPEN) await sleep(0.2);
                        const ended = wait("ended", 240);
                        seat.say({ play: { suite: "trixie", job: { part: { step, part, how: seat.played ? "before" : "bring" } } } });
                        const [how, what] = await ended;
                        // A run goes on when its page has gone; whoever comes back ends it.
                        if (how.startsWith("something is being run")) { seat.say({ stop: "trixie" }); await sleep(2); continue; }
                        if (how === "done") seat.played += 1; else seat.broken.push(`${step} ${part}: ${how} ${what?.why ?? ""}`);
                        if (Math.random() < 0.3) { seat.say({ keys: `echo name-${place}\r` }); seat.typed += 1; }
                        if (Math.random() < 0.2) { if (seat.say({ flag: ["stuck", "done", "question"][seat.flags % 3] })) seat.flags += 1; }
                        if (how !== "done") await sleep(2);
                    }
                }
            }
            seat.over = true;
        })();
    }
}, [places, minutes]);

const memory = [pss(), available()];
let killed = 0, cut = 0;
const end = Date.now() + minutes * 60_000;
while (Date.now() < end) {
    await sleep(3 + Math.random() * 6);
    const place = places[Math.floor(Math.random() * count)];
    if (Math.random() < 0.3) {
        try {
            execFileSync("kill", ["-KILL", readFileSync(`/run/hellod-lab-${place}/holder`, "utf8").trim()]);
            killed += 1;
        } catch { /* it is just being started again */ }
    } else {
        await page.evaluate((place) => soak.seats[place].socket.close(), place);
        cut += 1;
    }
    if (killed + cut > 0 && (killed + cut) % 20 === 0) console.error(`${killed} killed, ${cut} cut`);
}
await page.waitForFunction(() => Object.values(soak.seats).every((seat) => seat.over && seat.up), null, { timeout: Number(process.env.PATIENCE ?? 300_000) })
    .catch((error) => console.log(`        ${error.message}`)); // which they were not is told below
const seats = await page.evaluate(() => Object.fromEntries(Object.entries(soak.seats).map(([place, { socket, say, ended, chapter, screen, ...seat }]) => [place, seat])));
const all = (name) => Object.values(seats).reduce((sum, seat) => sum + (Array.isArray(seat[name]) ? seat[name].length : seat[name]), 0);
console.log(`        ${minutes} minutes, ${count} seats: ${all("played")} blocks played, ${all("typed")} lines typed, ${all("flags")} flags; ${killed} labs killed, ${cut} connections cut; ${all("broken")} blocks did not come to their end`);

await it("no seat has heard of another", async () => assert.deepEqual(Object.values(seats).flatMap((seat) => seat.wrong), []));
await it("every seat has played on, and is up", async () => {
    for (const [place, seat] of Object.entries(seats)) assert.ok(seat.played > 3 && seat.up, `${place}: ${JSON.stringify(seat)}`);
});
await it("blocks break off where a lab was killed or a connection cut, and nowhere else", async () => {
    assert.ok(all("broken") <= 3 * (killed + cut), Object.values(seats).flatMap((seat) => seat.broken).join("\n"));
});
await it("what was held up last is held up", async () => {
    for (const [place, seat] of Object.entries(seats)) {
        if (seat.flags) assert.equal(seat.flag, ["stuck", "done", "question"][(seat.flags - 1) % 3], place);
    }
});
await it("a line typed in each seat comes back there", async () => {
    for (const place of places) {
        // Again, since a run that goes on takes no keys.
        await page.waitForFunction((place) => {
            const seat = soak.seats[place];
            if (seat.screen.some((row) => row === `last-${place}`)) return true;
            seat.say({ stop: "trixie" });
            seat.say({ terminal: true });
            seat.say({ keys: `\x15echo last-${place}\r` });
            return false;
        }, place, { timeout: 60_000, polling: 3000 }).catch(async () => {
            throw new Error(`${place} shows ${JSON.stringify(await page.evaluate((place) => [soak.seats[place].up, soak.seats[place].socket.readyState, soak.seats[place].last, soak.seats[place].screen], place))}`);
        });
    }
});
await sleep(20);
await it("memory at the end is as at the beginning", async () => {
    const later = [pss(), available()];
    console.log(`        PSS of the server ${memory[0].toFixed(1)} MB, then ${later[0].toFixed(1)}; each seat takes ${((memory[1] - later[1]) / count).toFixed(1)} MB more`);
    // A terminal keeps two thousand lines, which is up to eight megabytes.
    assert.ok(later[0] - memory[0] < 8 * count);
    assert.ok((memory[1] - later[1]) / count < 40);
});
process.exit();
