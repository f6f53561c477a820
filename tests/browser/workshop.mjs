// A workshop with three seats, in headless Chromium: node workshop.mjs ADDRESS FOLDER. Prints a line for each test.
import assert from "node:assert/strict";
import { execFile, execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { browser, faults, it, timeout } from "./lib.mjs";

const [origin, folder] = process.argv.slice(2);
const words = Object.fromEntries(readFileSync(`${folder}/words`, "utf8").trim().split("\n").map((line) => line.split(" ")));
const inSeat = (seat, ...command) => execFileSync("scripts/lab.sh", ["run", "--name", seat, "--", ...command], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });

// A browser of somebody's own, at a place: seat-01, or board.
async function sitDown(place, options = {}) {
    const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, ...options });
    context.setDefaultTimeout(timeout);
    const page = await context.newPage();
    page.faults = [];
    page.on("pageerror", (error) => page.faults.push(error.message));
    page.on("console", (message) => { if (message.text().includes("Content Security Policy")) page.faults.push(message.text()); });
    await page.goto(`${origin}/${place}/?token=${words[place]}`);
    return page;
}
const button = (page, name) => page.getByRole("button", { name, exact: true });
async function openTerminal(page) {
    await button(page, "Terminal").click();
    await page.locator(".live-rows").filter({ hasText: "$" }).waitFor();
}
async function type(page, command) {
    await page.locator(".live-keys").focus();
    await page.keyboard.type(`${command}\n`);
}
const rows = (page, text) => page.locator(".live-rows").filter({ hasText: text }).waitFor();
const seatOnBoard = (board, number) => board.locator("#seats .seat").nth(number - 1);

const board = await sitDown("board");
const one = await sitDown("seat-01");
const two = await sitDown("seat-02");

await it("the first page leads to a seat, with what stands on the card, however it is written", async () => {
    const page = await (await browser.newContext()).newPage();
    // Whoever opens a seat's address without its word is led there, too.
    await page.goto(`${origin}/seat-01/`);
    await page.getByRole("link", { name: "Sit down with the word on your card." }).click();
    await page.getByLabel("Your seat").fill("Seat 1");
    await page.getByLabel("Your word").fill(` ${words["seat-01"].slice(0, 5).toUpperCase()} ${words["seat-01"].slice(5)}`);
    await button(page, "Sit down").click();
    await page.locator(".live-seat").filter({ hasText: "Seat 1" }).waitFor();
    assert.ok(!page.url().includes("token"), page.url());
    await page.goto(origin);
    await page.getByLabel("Your seat").fill("board");
    await page.getByLabel("Your word").fill(words.board);
    await button(page, "Sit down").click();
    await page.locator("#summary").filter({ hasText: "3 of 3 seats are up" }).waitFor();
    await page.context().close();
});

await it("a wrong word: said, and the form is there again", async () => {
    const page = await (await browser.newContext()).newPage();
    await page.goto(origin);
    await page.getByLabel("Your seat").fill("1");
    await page.getByLabel("Your word").fill("22222 22222");
    await button(page, "Sit down").click();
    await page.getByRole("alert").filter({ hasText: "That isn't the word of this seat." }).waitFor();
    await page.getByLabel("Your seat").fill("1");
    await page.getByLabel("Your word").fill(words["seat-01"]);
    await button(page, "Sit down").click();
    await page.locator(".live-seat").filter({ hasText: "Seat 1" }).waitFor();
    await page.context().close();
});

await it("who sits down is told that the lab is there; nothing lies under the strip at the top", async () => {
    const address = one.url();
    await one.goto(new URL("introduction.html", address).href);
    await one.getByText("You sit in a class").waitFor();
    await one.locator(".live-seat").filter({ hasText: "Seat 1" }).waitFor();
    await one.waitForFunction(() => {
        const below = document.querySelector(".live-seat").getBoundingClientRect().bottom;
        return ["mdbook-sidebar", "mdbook-menu-bar"].every((id) => document.getElementById(id).getBoundingClientRect().top >= below - 1);
    });
    await one.goto(address);
});

await it("a seat's page knows its lab", async () => {
    await one.locator(".live-which").filter({ hasText: "The lab seat-01" }).waitFor();
    await two.locator(".live-which").filter({ hasText: "The lab seat-02" }).waitFor();
});

await it("the board shows who is at which step, as the machines say", async () => {
    await seatOnBoard(board, 1).filter({ hasText: "No step" }).waitFor();
    inSeat("seat-01", "scripts/apply.sh", "1");
    await seatOnBoard(board, 1).filter({ hasText: "Step 01" }).filter({ hasText: "hellod is active" }).waitFor();
    await board.locator("#steps li").filter({ hasText: "Step 01" }).locator(".count").filter({ hasText: "1" }).waitFor();
});

await it("who is stuck is seen, and for how long; a question and done too", async () => {
    await button(one, "I'm stuck").click();
    await board.locator("#flags .stuck").filter({ hasText: "Seat 1 is stuck, just now" }).waitFor();
    await button(two, "Done").click();
    await board.locator("#done").filter({ hasText: "Done: seat 2." }).waitFor();
    assert.ok(!(await board.locator("#flags").textContent()).includes("Seat 2"), "who is done does not wait");
    assert.ok(!await two.getByLabel("Your question").isVisible(), "the question has no field before it is wanted");
    await button(two, "Question").click();
    await two.getByLabel("Your question").fill("What is a <b>target</b>?");
    await button(two, "Ask it").click();
    assert.ok(!await two.getByLabel("Your question").isVisible());
    await two.getByText("Your teacher sees it: “What is a <b>target</b>?”, and comes to you.").waitFor();
    await board.locator("#flags .question").filter({ hasText: "Seat 2 has a question, just now: “What is a <b>target</b>?”" }).waitFor();
    await button(board, "Take down what seat 1 holds up").click();
    await one.locator("[aria-pressed=false]").filter({ hasText: "I'm stuck" }).waitFor();
    await button(two, "Question").click();
    await board.locator("#flags").filter({ hasText: "Nobody." }).waitFor();
});

await it("what the teacher says is read by all, and taken back", async () => {
    await board.getByLabel("Say").fill("Break until <b>ten</b>");
    await button(board, "Say it").click();
    for (const page of [one, two]) await page.getByText(/^Your teacher, .*: Break until <b>ten<\/b>$/).waitFor();
    await button(board, "Take it back").click();
    for (const page of [one, two]) await page.getByText(/^Your teacher, .*: Break/).waitFor({ state: "hidden" });
});

await it("what the teacher says to one seat is read there alone", async () => {
    await board.getByLabel("Say").fill("Look at line 3");
    await board.locator("#hearer").selectOption({ label: "seat 2" });
    await button(board, "Say it").click();
    await two.getByText(/^Your teacher, .*, to you alone: Look at line 3$/).waitFor();
    await board.locator("#told").filter({ hasText: "You said to seat 2: “Look at line 3”" }).waitFor();
    assert.equal(await one.getByText("Look at line 3").count(), 0);
    await button(board, "Take it back").click();
    await two.getByText("Look at line 3").waitFor({ state: "hidden" });
    await board.locator("#hearer").selectOption({ label: "everybody" });
});

await it("what is typed in one seat appears in no other", async () => {
    await openTerminal(one);
    await openTerminal(two);
    await type(one, "echo only-in-$((40 + 2))");
    await rows(one, "only-in-42");
    await seatOnBoard(board, 1).filter({ hasText: "at work now" }).waitFor();
    await type(two, "uname -n; echo from-two");
    await rows(two, "from-two");
    assert.ok(!(await two.locator(".live-rows").textContent()).includes("only-in-42"));
    assert.ok(!(await one.locator(".live-rows").textContent()).includes("from-two"));
});

await it("the board shows a seat's terminal, and the teacher types there with consent alone", async () => {
    await button(board, "Look at the terminal of seat 1").first().click();
    await rows(board, "only-in-42");
    await one.getByText("Your teacher is looking at your terminal.").waitFor();
    await board.locator(".live-keys").focus();
    await board.keyboard.type("echo by-force\n");
    await board.locator("#told").filter({ hasText: "the owner of the seat has not agreed" }).waitFor();
    await button(board, "Ask to type").click();
    await one.getByText("Your teacher asks to type in your terminal.").waitFor();
    await button(one, "Allow it").click();
    await board.locator("#consent").filter({ hasText: "You may type." }).waitFor();
    await board.locator(".live-keys").focus();
    await board.keyboard.type("echo with-$((1 + 1))-hands\n");
    await rows(one, "with-2-hands");
    await button(one, "Take it back").click();
    await board.locator("#consent").filter({ hasText: "asking lets you type" }).waitFor();
    await board.locator(".live-keys").focus();
    await board.keyboard.type("echo once-more\n");
    await board.locator("#told").filter({ hasText: "has not agreed" }).waitFor();
    const shown = await one.locator(".live-rows").textContent();
    assert.ok(!shown.includes("by-force") && !shown.includes("once-more"), shown);
    await button(board, "Close").click();
    await one.getByText("Your teacher is looking").waitFor({ state: "hidden" });
});

await it("without a connection the board takes nothing, and loses nothing that was typed", async () => {
    const page = await board.context().newPage();
    let cut, isCut = false;
    await page.routeWebSocket(/\/board\/live/, (socket) => {
        if (isCut) return socket.close();
        socket.connectToServer();
        cut = () => socket.close();
    });
    await page.goto(board.url());
    await page.locator("#summary").filter({ hasText: "3 of 3 seats are up" }).waitFor();
    await page.locator("#message").fill("Back at ten past");
    isCut = true;
    await cut();
    await page.locator("main[inert]").waitFor();
    await page.locator("#summary").filter({ hasText: "No connection to the workshop" }).waitFor();
    isCut = false;
    await page.locator("main:not([inert])").waitFor();
    assert.equal(await page.locator("#message").inputValue(), "Back at ten past");
    await page.close();
});

await it("the board leads to the guide, and nobody else to the board", async () => {
    const [guide] = await Promise.all([board.context().waitForEvent("page"), board.getByRole("link", { name: "The guide" }).click()]);
    await guide.getByRole("heading", { name: "Teaching with this book" }).waitFor();
    await guide.getByRole("link", { name: "Cheat sheet" }).waitFor(); // the book's own scripts run
    await guide.close();
    const stranger = await (await browser.newContext()).newPage();
    for (const path of ["/board/", "/board/book/teaching.html"]) {
        await stranger.goto(origin + path);
        await stranger.getByLabel("Your word").waitFor();
    }
    await stranger.context().close();
});

await it("a no is told to who has asked", async () => {
    await board.locator('[data-name="look-2"]').click();
    await button(board, "Ask to type").click();
    await two.getByText("Your teacher asks to type in your terminal.").waitFor();
    await two.getByRole("button", { name: "No", exact: true }).click();
    await board.locator("#consent").filter({ hasText: "The owner said no." }).waitFor();
    await button(board, "Ask to type").click();
    await two.getByText("Your teacher asks to type in your terminal.").waitFor();
    await button(board, "Close").click();
});

await it("where output differs from what is printed, the board says at which command and line, and whose", async () => {
    for (const page of [one, two]) await page.goto(page.url().replace(/[^/]*$/, "02-journal.html"));
    for (const page of [one, two]) await rows(page, "$");
    const differs = board.locator("#differs li").filter({ hasText: "in chapter 2: cat ~/hello.log" });
    for (const page of [one, two]) await type(page, "cat ~/hello.log");
    await differs.filter({ hasText: "seats 1, 2" }).filter({ hasText: /At line 1 of the answer the book has .*, seat 1 has / }).waitFor();
    await type(two, "echo Hello, file >~/hello.log");
    await type(two, "cat ~/hello.log");
    await differs.filter({ hasText: "seat 1)" }).waitFor();
});

await it("a class is brought to a step: announced, and nobody's edits are lost", async () => {
    inSeat("seat-01", "bash", "-c", "echo '// my own line' >>steps/02-journal/src/main.rs; echo mine >steps/02-journal/note.txt; mkdir -p ~/.config/systemd/user; printf '[Unit]\\nDescription=Says hello, mine\\n' >~/.config/systemd/user/hellod.service");
    board.once("dialog", (dialog) => dialog.accept());
    await board.locator("#whom").selectOption({ label: "everybody" });
    await board.locator("#step").selectOption({ label: "step 02" });
    await button(board, "Bring them").click();
    await one.getByText("Your teacher brings this seat to step 02 in 10 seconds.").waitFor();
    await one.getByText("This seat is at step 02. What you had changed is in ~/kept/").waitFor();
    await two.getByText("This seat is at step 02.").waitFor();
    await button(two, "All right").click();
    await two.reload();
    await two.locator(".live-seat").filter({ hasText: "Seat 2" }).waitFor();
    await two.locator(".live-summary").filter({ hasText: "step 02" }).waitFor();
    assert.ok(!await two.getByText("This seat is at step 02.").isVisible(), "what was read comes back");
    for (const number of [1, 2, 3]) await seatOnBoard(board, number).filter({ hasText: "Step 02" }).waitFor();
    const kept = inSeat("seat-01", "bash", "-c", "cd ~/kept/*; tail -n 1 steps/02-journal/src/main.rs; cat steps/02-journal/note.txt; cat installed/home/learner/.config/systemd/user/hellod.service; cd ~/book; git status --short steps units");
    assert.equal(kept, "// my own line\nmine\n[Unit]\nDescription=Says hello, mine\n");
});

await it("a lab that ends while its seat is brought somewhere is brought there all the same", async () => {
    board.once("dialog", (dialog) => dialog.accept());
    await board.locator("#whom").selectOption({ label: "seat 3" });
    await board.locator("#step").selectOption({ label: "step 03" });
    await button(board, "Bring them").click();
    inSeat("seat-03", "timeout", "60", "bash", "-c", "until pgrep -f '[b]ring.sh 03'; do sleep 0.1; done");
    execFileSync("scripts/lab.sh", ["down", "--name", "seat-03"]);
    await seatOnBoard(board, 3).filter({ hasText: "This seat is at step 03." }).waitFor();
    await seatOnBoard(board, 3).filter({ hasText: "Step 03" }).waitFor();
});

await it("solutions are withheld until the teacher shows them", async () => {
    await one.goto(one.url().replace(/[^/]*$/, "01-hello-loop.html"));
    await one.getByText("Your teacher shows the solution later.").first().waitFor();
    assert.ok(!(await one.content()).includes("<summary>Solution"));
    await button(board, "Show the solutions").click();
    await one.locator("summary", { hasText: "Solution" }).first().waitFor();
    await button(board, "Withhold the solutions").click();
    await one.getByText("Your teacher shows the solution later.").first().waitFor();
});

await it("a participant takes the session along, as text", async () => {
    const [download] = await Promise.all([one.waitForEvent("download"), one.getByRole("link", { name: "Take my session along" }).click()]);
    const text = readFileSync(await download.path(), "utf8");
    assert.match(text, /^Writing a systemd service in Rust: what the terminal of seat 1 has shown/);
    assert.match(text, /only-in-42/);
    assert.ok(!text.includes("from-two"));
});

await it("a seat that dies is started again, at the step it was at, and says so", async () => {
    const held = execFileSync("pgrep", ["--oldest", "--full", "/lab-machine\\.sh seat-02 "], { encoding: "utf8" }).trim();
    execFileSync("kill", ["-KILL", held]);
    await two.getByText("Your lab ended, and was started again at step 02.").waitFor();
    await seatOnBoard(board, 2).filter({ hasText: "Step 02" }).waitFor();
    // Its shell is a new one, on a clear screen.
    await two.waitForFunction(() => /^learner@lab:~\/book\$\s*$/.test(document.querySelector(".live-rows").textContent));
    await type(two, "echo here-again");
    await rows(two, "here-again");
    await seatOnBoard(board, 1).filter({ hasText: "Step 02" }).waitFor();
});

await it("a seat is made anew when the teacher wants it", async () => {
    await button(two, "I'm stuck").click();
    await board.locator("#flags .stuck").filter({ hasText: "Seat 2" }).waitFor();
    await new Promise((resolve, reject) => execFile("scripts/workshop.sh", ["reset", "2"], (error) => (error ? reject(error) : resolve())));
    await two.getByText("This seat was made anew.").waitFor();
    await seatOnBoard(board, 2).filter({ hasText: "No step" }).waitFor();
    await board.locator("#flags").filter({ hasText: "Nobody." }).waitFor();
});

for (const colorScheme of ["light", "dark"]) {
    for (const width of [1200, 400]) {
        await it(`axe-core finds nothing serious, ${colorScheme}, ${width} px; nothing overflows`, async () => {
            for (const place of ["board", "seat-01"]) {
                const page = await sitDown(place, { colorScheme, viewport: { width, height: 900 } });
                if (place === "board") {
                    await page.locator("#seats .seat").first().waitFor();
                    await button(page, "Look at the terminal of seat 1").first().click();
                    await rows(page, "$");
                } else {
                    await page.locator(".live-seat").filter({ hasText: "Seat 1" }).waitFor();
                }
                assert.deepEqual(await faults(page), []);
                assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${place} overflows`);
                assert.deepEqual(page.faults, []);
                await page.context().close();
            }
            const front = await (await browser.newContext({ colorScheme, viewport: { width, height: 900 } })).newPage();
            await front.goto(origin);
            assert.deepEqual(await faults(front), []);
            await front.context().close();
        });
    }
}

// --- attacks ---------------------------------------------------------------------------------------------

// A connection that is opened stays open, so it is given a second.
const status = (path, headers = {}) => {
    const asked = Object.entries(headers).flatMap(([name, value]) => ["-H", `${name}: ${value}`]);
    const found = spawnSync("curl", ["-s", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "1", ...asked, `${origin}${path}`], { encoding: "utf8" });
    return Number(found.stdout);
};
const cookie = async (place) => (await fetch(`${origin}/${place}/?token=${words[place]}`, { redirect: "manual" })).headers.get("set-cookie").split(";")[0];
const upgrade = { Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "c2VjcmV0IHNlY3JldCBzZQ==" };
const knock = (place, its) => status(`/${place}/live`, { Cookie: its, Origin: origin, ...upgrade });

await it("no word, a wrong one, another seat's, the board's at a seat and a seat's at the board: refused", async () => {
    const [first, second, teacher] = [await cookie("seat-01"), await cookie("seat-02"), await cookie("board")];
    for (const place of ["seat-01", "board"]) {
        assert.equal(await status(`/${place}/live`), 401);
        assert.equal(await status(`/${place}/?token=`), 403);
        assert.equal(await status(`/${place}/?token=${"2".repeat(10)}`), 403);
    }
    assert.equal(await status(`/seat-01/?token=${words["seat-02"]}`), 403);
    assert.equal(await status(`/seat-01/?token=${words.board}`), 403);
    assert.equal(await status(`/board/?token=${words["seat-01"]}`), 403);
    for (const [place, its] of [["seat-01", second], ["seat-01", teacher], ["board", first], ["board", second]]) {
        assert.equal(await knock(place, its), 401, `${its} at ${place}`);
        // Its value under the name that is asked for there.
        assert.equal(await knock(place, `${(await cookie(place)).split("=")[0]}=${its.split("=")[1]}`), 401);
        assert.equal(await status(`/${place === "board" ? "seat-01" : place}/session.txt`, { Cookie: place === "board" ? second : its }), 401);
    }
    assert.equal(await knock("seat-01", first), 101);
    assert.equal(await knock("board", teacher), 101);
});

await it("a cookie is for its own seat, and no script's", async () => {
    const headers = (await fetch(`${origin}/seat-01/?token=${words["seat-01"]}`, { redirect: "manual" })).headers;
    assert.match(headers.get("set-cookie"), /; Path=\/seat-01\/; HttpOnly; SameSite=Strict$/);
    assert.equal(headers.get("location"), "/seat-01/");
});

await it("foreign names and foreign pages are refused at seats and board alike", async () => {
    const its = await cookie("board");
    for (const path of ["/", "/enter", "/board/", "/board/live", "/seat-01/", "/seat-01/live", "/seat-01/session.txt"]) {
        assert.equal(await status(path, { Host: "evil.example" }), 403, path);
    }
    assert.equal(await status("/board/live", { ...upgrade, Cookie: its, Origin: "http://evil.example" }), 403);
});

await it("the board's asks are no seat's: nothing of them is understood there", async () => {
    const answers = await one.evaluate(async () => {
        const socket = new WebSocket(new URL("live", location.href).href.replace("http", "ws"));
        await new Promise((resolve) => { socket.onopen = resolve; });
        const all = [];
        for (const ask of [{ bring: { seat: 0, step: "07-dedicated-user" } }, { solutions: true }, { look: 2 }, { say: "x" }, { lower: 1 }, { type: true }]) {
            socket.send(JSON.stringify(ask));
            all.push(await new Promise((resolve) => {
                socket.onmessage = ({ data }) => { if (JSON.parse(data).refused) resolve(JSON.parse(data).refused); };
            }));
        }
        socket.close();
        return all;
    });
    for (const answer of answers) assert.match(answer, /not understood/);
});

await it("a step that does not exist, and what is no step, are refused at the board", async () => {
    const answers = await board.evaluate(async () => {
        const socket = new WebSocket(new URL("live", location.href).href.replace("http", "ws"));
        await new Promise((resolve) => { socket.onopen = resolve; });
        const all = [];
        for (const ask of [{ bring: { seat: 0, step: "99-x" } }, { bring: { seat: 0, step: "$(reboot)" } }, { look: 77 }, { bring: { seat: -1, step: "1" } }, "nonsense"]) {
            socket.send(JSON.stringify(ask));
            all.push(await new Promise((resolve) => {
                socket.onmessage = ({ data }) => { if (JSON.parse(data).refused) resolve(JSON.parse(data).refused); };
            }));
        }
        socket.close();
        return all;
    });
    assert.match(answers[0], /there is no step '99-x'/);
    assert.match(answers[1], /there is no step/);
    assert.match(answers[2], /there is no seat 77/);
    assert.match(answers[3], /not understood/);
});

process.exit();
