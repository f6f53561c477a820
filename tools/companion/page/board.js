// The teacher's board: what the seats' machines say, and what the teacher wants of them.
import { make } from "./make.js";
import { Terminal } from "./terminal.js";

const $ = (id) => document.getElementById(id);
let socket, board = null, looked = null, terminal = null;
const say = (message) => { if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message)); };

// Only what has changed: focus stays where it is, and a screen reader hears it once.
const drawn = new Map();
function put(place, what, draw) {
    const text = JSON.stringify(what);
    if (drawn.get(place) === text) return;
    drawn.set(place, text);
    const focused = place.contains(document.activeElement) ? document.activeElement.dataset.name : null;
    place.replaceChildren(...draw(what));
    if (focused) place.querySelector(`[data-name="${focused}"]`)?.focus();
}
const number = (step) => step?.split("-")[0];
const flagWords = { stuck: "is stuck", question: "has a question", done: "is done" };
const minutes = (since) => {
    const passed = Math.floor((Date.now() / 1000 - since) / 60);
    return passed < 1 ? "just now" : `${passed} min`;
};

const ago = (since) => (Date.now() / 1000 - since < 60 ? "now" : `${minutes(since)} ago`);
const whom = (seat) => (seat ? `seat ${seat}` : "everybody");

function stateOf(seat) {
    if (!seat.up) return seat.gone ? "starting again" : "booting";
    if (!seat.active) return "no hellod";
    return `hellod is ${seat.active}`;
}

function draw() {
    const { seats, differs, steps, solutions, message } = board;
    const up = seats.filter((seat) => seat.up).length;
    const waiting = seats.filter((seat) => seat.flag && seat.flag !== "done");
    const done = seats.filter((seat) => seat.flag === "done").map((seat) => seat.number);
    const there = seats.filter((seat) => seat.here).length;
    const text = `${up} of ${seats.length} seats are up, ${there} with somebody there; ${waiting.length ? `${waiting.length} ${waiting.length > 1 ? "wait" : "waits"} for you` : "nobody waits for you"}${done.length ? `, ${done.length} done` : ""}.`;
    if ($("summary").textContent !== text) $("summary").textContent = text;

    // Who has stopped hellod to look at something is still at that step.
    const counts = [null, ...steps].map((step) => [step, seats.filter((seat) => (seat.step ?? seat.unit ?? null) === step).map((seat) => seat.number)]);
    put($("steps"), counts, () => counts.map(([step, at]) => make("li", {},
        make("span.name", {}, step ? `Step ${number(step)}` : "No step"),
        make("span.bar", { style: `--share: ${seats.length ? at.length / seats.length : 0}`, ariaHidden: "true" }),
        make("span.count", { title: at.length ? `Seats ${at.join(", ")}` : "" }, String(at.length)))));

    const flags = waiting.map(({ number, flag, since, question }) => ({ number, flag, since, question, time: minutes(since) })).sort((one, other) => one.since - other.since);
    put($("flags"), flags, () => (flags.length ? flags.map(({ number, flag, time, question }) => make(`li.${flag}`, {},
        make("span", {}, `Seat ${number} ${flagWords[flag]}, ${time}${question ? `: “${question}”` : ""}`),
        make("span.tools", {}, look(number), make("button", { type: "button", onclick: () => say({ lower: number }), ariaLabel: `Take down what seat ${number} holds up`, "data-name": `lower-${number}` }, "Take down"))))
        : [make("li", {}, "Nobody.")]));
    put($("done"), done, () => (done.length ? [`Done: seat${done.length > 1 ? "s" : ""} ${done.join(", ")}. `,
        make("button", { type: "button", onclick: () => done.forEach((number) => say({ lower: number })), "data-name": "lower-done" }, "Take these down")] : []));

    $("no-differs").hidden = differs.length > 0;
    put($("differs"), differs, () => differs.slice(0, 12).map(({ step, command, first, seats }) => make("li", {},
        make("span.count", {}, String(seats.length)), make("span", {}, ` in chapter ${Number(number(step))}: `, make("code", {}, command)),
        make("span.whom", {}, ` (seat${seats.length > 1 ? "s" : ""} ${seats.join(", ")})`),
        make("span.first", {}, `At line ${first.line} of the answer ${first.printed ? "the book has " : "the book has nothing more"}`,
            ...(first.printed ? [make("code", {}, first.printed)] : []), first.came ? `${first.printed ? "," : ";"} seat ${seats[0]} has ` : `, seat ${seats[0]} has nothing more`,
            ...(first.came ? [make("code", {}, first.came)] : []), "."))));

    const tiles = seats.map((seat) => ({ ...seat, worked: seat.worked ? `, at work ${ago(seat.worked)}` : "" }));
    put($("seats"), tiles, () => tiles.map((seat) => make(`li.seat${seat.flag ? `.${seat.flag}` : ""}${seat.up ? "" : ".off"}`, {},
        make("strong", {}, `Seat ${seat.number}`),
        make("span.step", {}, seat.step ? `Step ${number(seat.step)}` : seat.unit ? `Step ${number(seat.unit)}, in part` : "No step"),
        make("span", {}, stateOf(seat)),
        make("span", {}, `${seat.chapter ? `reads chapter ${Number(number(seat.chapter))}` : seat.here ? "reads" : "nobody there"}${seat.worked}`),
        ...(seat.flag ? [make("span.flag", {}, flagWords[seat.flag])] : []),
        ...(seat.note || seat.gone ? [make("span.note", {}, seat.gone || seat.note)] : []),
        look(seat.number))));

    put($("hearer"), seats.length, () => [make("option", { value: 0 }, "everybody"), ...seats.map((seat) => make("option", { value: seat.number }, `seat ${seat.number}`))]);
    put($("whom"), seats.length, () => [make("option", { value: "" }, "whom?"), make("option", { value: 0 }, "everybody"), ...seats.map((seat) => make("option", { value: seat.number }, `seat ${seat.number}`))]);
    put($("step"), steps, () => steps.map((step) => make("option", { value: step }, `step ${number(step)}`)));
    $("solutions").textContent = solutions ? "Withhold the solutions" : "Show the solutions";
    if ($("unsay").hidden === Boolean(message.text)) $("unsay").hidden = !message.text;
    $("told").textContent = [message.text && `You said to ${whom(message.seat)}: “${message.text}”`, solutions ? "The class sees the solutions." : "The solutions are withheld."].filter(Boolean).join(" ");

    const at = seats[looked - 1];
    if (at) {
        $("consent").textContent = { refused: "The owner said no. You look.", no: "You look; asking lets you type, if the owner agrees.", asked: "The owner is asked…", agreed: "You may type." }[at.typing];
        $("type").textContent = mayAsk(at) ? "Ask to type" : "Type no more";
    }
}
const mayAsk = (seat) => ["no", "refused"].includes(seat.typing);
const look = (number) => make("button", { type: "button", onclick: () => lookAt(number), ariaLabel: `Look at the terminal of seat ${number}`, "data-name": `look-${number}` }, "Look");

function lookAt(number) {
    const before = looked;
    looked = number;
    say({ look: number });
    $("look").hidden = number === null;
    if (number === null) {
        document.querySelector(`[data-name="look-${before}"]`)?.focus();
        return;
    }
    $("look-title").textContent = `Terminal of seat ${number}`;
    // Its height is its owner's.
    const ask = (message) => { if (["keys", "paste", "back"].some((kind) => kind in message)) say(message); };
    $("panel").replaceChildren();
    terminal = new Terminal($("panel"), ask, () => $("close").focus());
    $("look").scrollIntoView({ block: "start" });
    $("close").focus();
    if (board) draw();
}
$("close").onclick = () => lookAt(null);
$("type").onclick = () => say({ type: mayAsk(board.seats[looked - 1]) });

$("say").onsubmit = (event) => { event.preventDefault(); say({ say: { seat: Number($("hearer").value), text: $("message").value } }); $("message").value = ""; $("hearer").value = 0; };
$("unsay").onclick = () => { say({ say: { seat: board.message.seat, text: "" } }); $("message").focus(); };
$("bring").onsubmit = (event) => {
    event.preventDefault();
    const seat = Number($("whom").value);
    if (confirm(`Bring ${whom(seat)} to step ${number($("step").value)}? They are told, and ten seconds later it is done. What they have changed is copied to ~/kept before.`)) say({ bring: { seat, step: $("step").value } });
};
$("solutions").onclick = () => say({ solutions: !board.solutions });

function connect() {
    socket = new WebSocket(new URL("live", location.href).href.replace("http", "ws"));
    socket.onopen = () => { document.querySelector("main").inert = false; if (looked) say({ look: looked }); };
    socket.onmessage = ({ data }) => {
        const heard = JSON.parse(data);
        if (heard.board) { board = heard.board; draw(); }
        if (heard.screen) terminal?.draw(heard.screen);
        if (heard.refused) $("told").textContent = `Not now: ${heard.refused}.`;
    };
    socket.onclose = () => {
        document.querySelector("main").inert = true; // what would be asked for is asked of nobody
        $("summary").textContent = "No connection to the workshop; trying again. If it stays so: scripts/workshop.sh status.";
        setTimeout(connect, 2000);
    };
}
connect();
setInterval(() => { if (board) draw(); }, 20_000);
