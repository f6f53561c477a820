// Ties a page of the book to one machine, through the companion that has served it. Marks say what is true
// there, and never what was clicked. Without this script the page is whole.

import { make } from "./make.js";

// Where the book is served: at the top, or below the path of a seat.
const base = new URL("..", import.meta.url);
const step = location.pathname.split("/").pop().replace(/\.html$/, "");
const say = (message) => { if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message)); };
let socket;

const button = (text, onclick, properties = {}) => make("button.live-button", { type: "button", onclick, ...properties }, text);

// --- what is known -------------------------------------------------------------------------------------

let machine = null, state = null, checks = {}, journal = [];
const inLab = () => machine?.is === "lab";
const passing = (of) => (checks[of] ?? []).filter(([mark]) => mark === "✓").length;
const isFull = (of) => checks[of]?.length > 0 && checks[of].every(([mark]) => mark !== "✗") && passing(of) > 0;
const number = (of) => of.split("-")[0];

// Which step the machine is at: {at, words}. The highest whose checks all pass, or the one whose unit is there.
function place() {
    const steps = Object.keys(checks);
    if (!state || state.manager === "none" || !steps.length) return { at: null, reached: [], words: "no hellod yet" };
    const full = steps.findLastIndex(isFull);
    if (full < 0) {
        const near = steps.indexOf(state.step);
        if (near < 0) return { at: null, reached: [], words: "with a unit of your own" };
        return { at: steps[near], reached: steps.slice(0, near), words: `step ${number(steps[near])} in part` };
    }
    const known = new Set(checks[steps[full]].map(([, what]) => what));
    const some = (checks[steps[full + 1]] ?? []).some(([mark, what]) => mark === "✓" && !known.has(what));
    const words = some ? `between ${number(steps[full])} and ${number(steps[full + 1])}` : `step ${number(steps[full])}`;
    return { at: steps[full], reached: steps.slice(0, full + 1), words };
}

// --- the bar -------------------------------------------------------------------------------------------

const which = make("span.live-which");
const summary = make("p.live-summary", { role: "status", "aria-label": "Your machine" });
const status = make("span.live-status");
const details = make("div.live-details", { id: "live-details", hidden: true });
const panel = make("div.live-panel", { id: "live-panel", hidden: true });
// There is room for one of them.
function toggles(text, part, opened) {
    const toggle = button(text, () => {
        for (const [other, its, tell] of parts) {
            const open = other === toggle && its.hidden;
            if (its.hidden === !open) continue;
            its.hidden = !open;
            other.setAttribute("aria-expanded", open);
            tell(open);
        }
        roomForBar();
    }, { "aria-expanded": false, "aria-controls": part.id });
    parts.push([toggle, part, opened]);
    return toggle;
}
const parts = [];
const showChecks = toggles("Checks", details, () => draw());
const showTerminal = toggles("Terminal", panel, openTerminal);
showTerminal.hidden = true;
const bar = make("aside.live", { "aria-label": "Your machine, and the lab" },
    details, panel, make("div.live-bar", {}, which, summary, status, make("span.live-buttons", {}, showChecks, showTerminal)));
document.body.append(bar);
function roomForBar() { document.documentElement.style.setProperty("--live-height", `${bar.offsetHeight}px`); }
new ResizeObserver(roomForBar).observe(bar);

// What stands between backticks, as code.
const code = (text) => text.split("`").map((part, at) => (at % 2 ? make("code", {}, part) : part));
function list(marks) {
    return make("ul.live-marks", {}, ...marks.map(([mark, what, hint]) =>
        make("li", { className: mark === "✗" ? "live-wrong" : "" }, `${mark} ${what}`,
            ...(mark !== "✓" && hint ? [make("div.live-hint", {}, mark === "?" ? "Only sudo sees this: run check.sh" : hint)] : []))));
}
// Only what has changed, so that a screen reader hears it once.
function put(element, text) { if (element.textContent !== text) element.textContent = text; }
const count = (of) => `${passing(of)} of ${checks[of].length} checks${of === step ? "" : ` of step ${number(of)}`} pass`;

const machineName = () => (!inLab() ? "This machine" : machine.lab === "lab" ? "The lab" : `The lab ${machine.lab}`);

function draw() {
    const { at, reached, words } = place();
    if (!machine) {
        put(which, "");
    } else if (machine.gone !== undefined) {
        put(which, machineName());
        put(summary, machine.gone || "It does not answer; looking again…");
        put(status, "");
    } else {
        const what = machine.system ? ` (${machine.system}, systemd ${machine.systemd})` : "";
        put(which, machineName() + what);
        const of = checks[step] ? step : at;
        const is = state?.manager === "none" || !state ? "" : `hellod is ${state.active}${state.sub === state.active ? "" : ` (${state.sub})`}; `;
        put(summary, state ? `${is}${words}${of ? `; ${count(of)}` : ""}` : "Looking…");
        put(status, state?.status ? `Status: ${state.status}` : "");
    }
    for (const link of document.querySelectorAll("#mdbook-sidebar a[href], .sidebar a[href]")) {
        link.classList.toggle("live-reached", !link.hash && reached.includes(link.pathname.split("/").pop().replace(/\.html$/, "")));
    }
    for (const [of, place] of checkLists) place.replaceChildren(...(checks[of] ? [make("p", {}, `Now: ${count(of)}.`), list(checks[of])] : []));
    if (!details.hidden) {
        const of = checks[step] ? step : at ?? Object.keys(checks)[0];
        details.replaceChildren(
            make("h2.live-title", {}, of ? `Checks of step ${number(of)}` : "Checks"), of ? list(checks[of]) : "",
            make("h2.live-title", {}, "Journal of hellod"), journalList);
        journalList.scrollTop = journalList.scrollHeight;
    }
}

const journalList = make("ol.live-journal", { tabIndex: 0, "aria-label": "Journal of hellod" });
function drawJournal() {
    journalList.replaceChildren(...journal.slice(-12).map(({ time, who, says, level }) =>
        make(`li.live-level-${level ?? 6}`, {},
            `${new Date(time / 1000).toLocaleTimeString()} ${who}: ${typeof says === "string" ? says : "[not text]"}`)));
    journalList.scrollTop = journalList.scrollHeight;
}

// --- what stands in the chapter -------------------------------------------------------------------------

const codes = [...document.querySelectorAll("code.language-console")];
const after = (code, element) => { code.parentElement.after(element); return element; };
const checkLists = codes.flatMap((code) => {
    const found = /^scripts\/check\.sh (?:step-)?(\d\d)/m.exec(code.dataset.commands ?? "");
    if (!found || number(step) !== found[1]) return [];
    return [[step, after(code, make("div.live-checks", { role: "group", "aria-label": "Checks on your machine" }))]];
});
const findings = codes.filter((code) => code.dataset.commands === "scripts/doctor.sh")
    .map((code) => after(code, make("div.live-checks", { role: "group", "aria-label": "What doctor.sh finds on your machine" })));

const runs = new Map(); // block, as the companion names it, to what the page shows of it

class Run {
    constructor(at, ask, say_what) {
        this.ask = ask;
        this.result = make("div.live-result");
        this.news = make("p.live-news", { role: "status" });
        this.stop = button("Stop", () => say({ stop: this.suite }), { hidden: true });
        this.box = make("div.live-run", {}, ...say_what(this), this.stop, this.news, this.result);
        at(this.box);
    }

    start(suite, job) {
        this.suite = suite;
        this.box.dataset.state = "waits";
        put(this.news, socket?.readyState === WebSocket.OPEN ? "" : "Not now: the page is not connected.");
        waiting = this; // until it has begun, or was refused
        say({ play: { suite, job } });
    }

    // What the companion says of it.
    hear(what) {
        this.suite = what.block.split(" ")[0];
        if (what.begins) {
            this.result.replaceChildren();
            this.commands = this.good = 0;
            this.stop.hidden = false;
            if (this.box.contains(document.activeElement)) this.stop.focus();
            this.box.dataset.state = "runs";
            put(this.news, this.suite === home ? "Beginning…" : `Beginning, in a lab with systemd ${releases[this.suite]}…`);
        } else if (what.doing) {
            const words = { brings: "Bringing the lab there", before: "Running what stands before", exercise: "Checking" }[what.doing];
            put(this.news, `${words}: ${what.done} of ${what.of}, ${what.text}`);
        } else if (what.at) {
            put(this.news, "Running…");
        } else if (what.typed !== undefined) {
            this.heard = make("pre.live-heard", { tabIndex: 0 });
            this.verdict = make("span.live-verdict");
            this.entry = make("details.live-entry", { open: true },
                make("summary", {}, make("code", {}, what.typed === "^C" ? "^C" : `$ ${what.typed}`), " ", this.verdict), this.heard);
            this.result.append(this.entry);
        } else if (what.heard !== undefined && this.heard) {
            if (this.heard.textContent.length < 1 << 17) this.heard.append(what.heard);
            this.heard.scrollTop = this.heard.scrollHeight;
        } else if (what.brought !== undefined) {
            put(this.verdict, what.brought ? "✓ done" : "✗ did not work");
            this.entry.open = !what.brought;
        } else if (what.answered) {
            this.commands += 1;
            const good = what.same || what.older;
            this.good += good ? 1 : 0;
            this.verdict.className = good ? "live-verdict live-good" : "live-verdict live-bad";
            put(this.verdict, what.same ? "✓ as printed"
                : what.older ? `✓ as printed, below older lines of the journal` : "≠ differs from what is printed");
            this.heard.replaceChildren(...(what.changes ?? what.answered.map((line) => [" ", line])).map(([sign, line]) =>
                make(sign === "-" ? "del" : sign === "+" ? "ins" : "span", {}, `${what.changes ? `${sign} ` : ""}${line}\n`)));
            this.entry.open = !good;
        } else if (what.ends) {
            const focused = this.box.contains(document.activeElement);
            this.stop.hidden = true;
            if (focused) this.box.querySelector("button").focus();
            this.end(what);
            this.box.dataset.state = what.ends;
            if (reloadWanted) location.reload();
        }
    }

    end(what) {
        const all = this.good === this.commands;
        if (what.ends === "done" && what.passes !== undefined) {
            const from = what.said.findLastIndex((line) => /^[✓✗] /.test(line));
            put(this.news, what.passes ? "✓ The check passes." : "✗ Not yet.");
            this.result.replaceChildren(make("pre.live-heard", { tabIndex: 0 }, what.said.slice(Math.max(from, 0)).join("\n")));
        } else if (what.ends === "done") {
            put(this.news, all ? "As printed." : `${this.good} of ${this.commands} as printed. ${this.why()}`);
        } else if (what.ends === "elsewhere") {
            put(this.news, what.before ? "This block goes on from the blocks above it, and the lab isn't there yet."
                : `This block begins ${step.startsWith("01") ? "in an empty lab" : "where the chapter before ends"}, and this lab has changed since. (It is at: ${place().words}.)`);
            const how = (text, how) => button(text, () => this.start(this.suite, this.ask(how)));
            this.result.replaceChildren(
                ...(what.before ? [how("Run the blocks above", "before")] : []),
                how("Bring the lab here and run it", "bring"), how("Run it all the same", "anyway"));
        } else {
            put(this.news, what.ends === "stopped" ? "Stopped." : `It broke off: ${what.why}`);
        }
    }

    // Lines with - are the book's, lines with + this machine's.
    why() {
        return this.suite === home ? "Lines with - were printed, lines with + came now; what ran here before may be the reason."
            : `Lines with - are those of systemd ${releases[home]}, lines with + of ${releases[this.suite]}.`;
    }
}

let waiting = null, reloadWanted = false;
const releases = { trixie: "257", bookworm: "252", forky: "262" };
let home = "trixie";

function tieBlocks({ blocks, suites }) {
    let next = 0;
    for (const { part, text } of blocks) {
        const index = codes.findIndex((code, at) => at >= next && code.textContent.trimEnd() === text.trimEnd());
        if (index < 0 || !/^\$ /m.test(text)) continue;
        next = index + 1;
        if (runs.has(`${home} ${step} ${part}`)) continue;
        const select = make("select.live-select", { "aria-label": "In a lab with" },
            ...[home, ...suites.filter((suite) => suite !== home)].map((suite) => make("option", { value: suite }, `systemd ${releases[suite]}`)));
        const ask = (how) => ({ part: { step, part, how } });
        const run = new Run((box) => after(codes[index], box), ask, (run) =>
            [button("Run in the lab", () => run.start(select.value, ask("ask"))), select]);
        for (const suite of suites) runs.set(`${suite} ${step} ${part}`, run);
    }
}

function tieExercises() {
    for (const heading of document.querySelectorAll("main h3")) {
        const exercise = /^Exercise (\d\.\d)/.exec(heading.textContent)?.[1];
        if (!exercise || runs.has(`${home} exercise ${exercise}`)) continue;
        const hints = make("ol.live-hints");
        let shown = 0;
        const hint = button("A hint", () => { shown += 1; say({ hints: { exercise, count: shown } }); });
        const run = new Run((box) => heading.after(box), () => ({ exercise: { number: exercise } }), (run) => [
            ...(inLab() ? [button("Check it in the lab", () => run.start(home, run.ask()))] : []), hint]);
        run.box.append(hints);
        run.hints = ({ hints: all, of }) => {
            hints.replaceChildren(...all.map((text) => make("li", {}, ...code(text))));
            if (all.length >= of) { hint.disabled = true; put(hint, "That was the last hint"); }
        };
        runs.set(`${home} exercise ${exercise}`, run);
    }
}

// --- the terminal ---------------------------------------------------------------------------------------

let terminal = null;
let focus = true; // not if it only opens as it was
async function openTerminal(open) {
    sessionStorage.setItem("live-terminal", open ? "open" : "");
    if (open && !terminal) {
        const { Terminal } = await import("./terminal.js");
        terminal = new Terminal(panel, say, () => showTerminal.focus());
    }
    terminal?.show(open, focus);
    focus = true;
    roomForBar();
}

// --- talking to the companion -----------------------------------------------------------------------------

const pending = []; // what was said of a block before the blocks were known
let known = !/^\d\d-/.test(step); // a page that is no chapter has none
const hears = {
    machine(value) {
        const first = machine === null;
        machine = value;
        if (inLab()) home = value.suite;
        if (value.gone !== undefined) { state = null; checks = {}; }
        showTerminal.hidden = !inLab();
        if (first) {
            tieExercises();
            if (inLab() && !known) say({ chapter: step });
            if (inLab() && sessionStorage.getItem("live-terminal") && panel.hidden) { focus = false; showTerminal.click(); }
        }
        if (value.name && findings.length) say("doctor");
    },
    state(value) { state = value; },
    checks(value) { checks = value; },
    journals() { journal = []; drawJournal(); },
    journal(value) { journal.push(value); journal = journal.slice(-30); drawJournal(); },
    doctor(value) { for (const place of findings) place.replaceChildren(make("p", {}, "Now, on this machine:"), list(value)); },
    chapter(value) { known = true; tieBlocks(value); pending.splice(0).forEach(hears.run); },
    run(value) {
        const run = runs.get(value.block);
        if (run === waiting) waiting = null;
        if (run) run.hear(value); else if (!known && pending.length < 5000) pending.push(value);
    },
    hints(value) { runs.get(`${home} exercise ${value.exercise}`)?.hints(value); },
    screen(value) { terminal?.draw(value); },
    refused(value) {
        if (!waiting) return;
        put(waiting.news, `Not now: ${value}.`);
        waiting.box.dataset.state = "refused";
        waiting = null;
    },
    built() { if ([...runs.values()].some((run) => !run.stop.hidden)) reloadWanted = true; else location.reload(); },
};

async function lost() {
    machine = state = null;
    checks = {};
    const answer = await fetch(new URL("live", base), { cache: "no-store" }).then((response) => response.status, () => 0);
    draw();
    put(which, "");
    put(status, "");
    const isSeat = base.pathname !== "/";
    // A word may be there, and the address alone was opened.
    if (answer === 401 && isSeat) { if (!summary.firstElementChild) summary.replaceChildren(make("a", { href: "/" }, "Sit down with the word on your card.")); }
    else put(summary, answer === 401 ? "This page is of an earlier start: open the address that scripts/serve.sh has printed last."
        : answer !== 0 ? "Connecting again…" : isSeat ? "No connection to the workshop; trying again…"
            : "scripts/serve.sh has ended; start it again, and open the address that it prints.");
    setTimeout(connect, 2000);
}

function connect() {
    journal = [];
    socket = new WebSocket(new URL("live", base).href.replace("http", "ws"));
    socket.onmessage = ({ data }) => {
        for (const [kind, value] of Object.entries(JSON.parse(data))) {
            // What this script knows nothing of is another one's: that of a seat.
            if (hears[kind]) hears[kind](value); else document.dispatchEvent(new CustomEvent(`live-${kind}`, { detail: value }));
            if (["machine", "state", "checks"].includes(kind)) draw();
        }
    };
    socket.onopen = () => terminal?.show(!panel.hidden, false);
    socket.onclose = lost;
}
document.addEventListener("live-say", ({ detail }) => say(detail));
connect();
