// A seat of a workshop: what its owner holds up, and what the teacher says and asks. Loaded before live.js, which
// knows the connection.
import { make } from "./make.js";

const say = (detail) => document.dispatchEvent(new CustomEvent("live-say", { detail }));
const base = new URL("..", import.meta.url);

const button = (text, onclick) => make("button.live-button", { type: "button", onclick }, text);
// Only what has changed, so that a screen reader hears it once.
function put(element, text) { if (element.textContent !== text) element.textContent = text; element.hidden = !text; }

let seat = {};
const flags = Object.entries({ stuck: "I'm stuck", question: "Question", done: "Done" })
    .map(([flag, text]) => [flag, button(text, () => {
        // A question has words, if one likes.
        if (flag === "question" && seat.flag !== flag && question.hidden) { question.hidden = false; words.focus(); return; }
        question.hidden = true;
        say({ flag: seat.flag === flag ? null : flag });
    })]);
const words = make("input", { maxLength: 300, autocomplete: "off" });
const question = make("form.live-seat-bar", { hidden: true, onsubmit: (event) => {
    event.preventDefault();
    say({ question: words.value });
    words.value = "";
    question.hidden = true;
    strip.focus();
} }, make("label", {}, "Your question, or nothing: ", words), make("button.live-button", {}, "Ask it"));
const which = make("strong");
const sent = make("span", { role: "status" });
const message = make("p.live-message.live-said", { role: "status" });
const note = make("p.live-message", { role: "status" });
// What has happened is read once, also when another page is opened or this one anew.
const noted = button("All right", () => {
    noted.hidden = note.hidden = true;
    sessionStorage.setItem("noted", `${seat.number} ${seat.noted}`);
    strip.focus(); // and not nowhere, since the button is gone
});
noted.hidden = true;
const typing = make("p.live-message", { role: "status" });
const answers = make("span.live-buttons", {});
const strip = make("aside.live-seat", { ariaLabel: "Your seat in the class", tabIndex: -1, hidden: true },
    make("div.live-seat-bar", {}, which,
        make("span.live-buttons", { role: "group", ariaLabel: "Show your teacher" }, ...flags.map(([, one]) => one)), sent,
        make("a", { href: new URL("session.txt", base), download: "my-session.txt" }, "Take my session along")),
    question, message, make("div.live-seat-bar", {}, note, noted), make("div.live-seat-bar", {}, typing, answers));
document.body.prepend(strip);
// What mdBook keeps at the top goes below it.
new ResizeObserver(() => document.documentElement.style.setProperty("--seat-height", `${strip.offsetHeight}px`)).observe(strip);
const time = (seconds) => new Date(seconds * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

document.addEventListener("live-seat", ({ detail }) => {
    const asked = detail.typing !== seat.typing;
    seat = detail;
    strip.hidden = false;
    which.textContent = `Seat ${seat.number}`;
    for (const [flag, one] of flags) one.setAttribute("aria-pressed", seat.flag === flag);
    put(sent, seat.flag && (seat.flag === "done" ? "Your teacher sees it." : `Your teacher sees it${seat.question && `: “${seat.question}”`}, and comes to you.`));
    put(message, seat.message && `Your teacher, ${time(seat.said)}${seat.alone ? ", to you alone" : ""}: ${seat.message}`);
    put(note, seat.note);
    noted.hidden = note.hidden = !seat.note || sessionStorage.getItem("noted") === `${seat.number} ${seat.noted}`;
    put(typing, seat.typing === "asked" ? "Your teacher asks to type in your terminal."
        : seat.typing === "agreed" ? "Your teacher may type in your terminal."
            : seat.looks ? "Your teacher is looking at your terminal." : "");
    if (!asked) return;
    answers.replaceChildren(...(seat.typing === "asked"
        ? [button("Allow it", () => say({ agree: true })), button("No", () => say({ agree: false }))]
        : seat.typing === "agreed" ? [button("Take it back", () => say({ agree: false }))] : []));
});
