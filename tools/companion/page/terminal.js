// A shell in the lab: the companion keeps its screen, this draws it as rows of text, and sends keys.

const KEYS = {
    Enter: "\r", Backspace: "\x7f", Tab: "\t", Escape: "\x1b", Delete: "\x1b[3~", Insert: "\x1b[2~",
    PageUp: "\x1b[5~", PageDown: "\x1b[6~", F1: "\x1bOP", F2: "\x1bOQ", F3: "\x1bOR", F4: "\x1bOS", F5: "\x1b[15~",
    F7: "\x1b[18~", F8: "\x1b[19~", F9: "\x1b[20~", F10: "\x1b[21~", F11: "\x1b[23~", F12: "\x1b[24~",
};
const MOVES = { ArrowUp: "A", ArrowDown: "B", ArrowRight: "C", ArrowLeft: "D", Home: "H", End: "F" };

function make(name, className, text = "") {
    const element = document.createElement(name);
    element.className = className;
    element.textContent = text;
    return element;
}

function piece([text, looks]) {
    const span = make("span", "", text);
    for (const word of looks.split(" ").filter(Boolean)) {
        if (word[1] === "#") span.style[word[0] === "f" ? "color" : "backgroundColor"] = word.slice(1);
        else span.classList.add(`t-${word}`);
    }
    return span;
}

export class Terminal {
    constructor(panel, say, leave) {
        this.say = say;
        this.back = 0;
        this.height = Math.max(8, Math.min(16, Math.floor(innerHeight / 45)));
        this.rows = make("pre", "live-rows");
        this.cursor = make("span", "live-cursor");
        this.cursor.ariaHidden = "true";
        this.keys = make("textarea", "live-keys");
        this.keys.setAttribute("aria-label", "Terminal in the lab. F6 leaves it.");
        for (const name of ["autocapitalize", "autocomplete", "autocorrect"]) this.keys.setAttribute(name, "off");
        this.keys.spellcheck = false;
        this.screen = make("div", "live-screen");
        this.screen.tabIndex = -1;
        this.screen.append(this.rows, this.cursor, this.keys);
        const tools = make("div", "live-tools");
        const tool = (text, act) => {
            const button = make("button", "live-button", text);
            button.type = "button";
            button.onclick = act;
            tools.append(button);
        };
        tool("Lines above", () => this.scroll(this.height - 2));
        tool("Lines below", () => this.scroll(2 - this.height));
        tool("Taller", () => this.resize(this.height + 6));
        tool("Less tall", () => this.resize(this.height - 6));
        // Those that a phone has not.
        for (const [name, keys] of [["Tab", "\t"], ["Esc", "\x1b"], ["Ctrl-C", "\x03"]]) {
            tool(name, () => {
                say({ keys });
                this.keys.focus({ preventScroll: true });
            });
        }
        tools.append(make("span", "live-leave", "F6 leaves the terminal"));
        panel.append(tools, this.screen);

        this.screen.onclick = () => { if (getSelection().isCollapsed) this.keys.focus({ preventScroll: true }); };
        this.screen.onwheel = (event) => {
            if (!event.deltaY) return;
            event.preventDefault();
            this.scroll(event.deltaY < 0 ? 3 : -3);
        };
        // What is typed beside it is meant for it, and not for the book's shortcuts.
        document.addEventListener("keydown", (event) => {
            const { key, ctrlKey, altKey, metaKey } = event;
            const { activeElement: at } = document;
            if ((at !== document.body && !at?.classList.contains("live-button")) || !this.keys.offsetParent || !/^[^ ]$/.test(key) || ctrlKey || altKey || metaKey) return;
            event.stopPropagation();
            this.keys.focus({ preventScroll: true });
        }, true);
        this.keys.onkeydown = (event) => {
            if (event.key === "F6") {
                event.preventDefault();
                leave();
                return;
            }
            if (event.isComposing || event.keyCode === 229) return;
            const keys = this.bytes(event);
            if (keys === null) return;
            event.preventDefault();
            if (keys) say({ keys });
        };
        // Whatever a keyboard, a phone or an input method makes of it.
        this.keys.oninput = (event) => {
            if (event.isComposing) return;
            if (this.keys.value) say({ keys: this.keys.value.replaceAll("\n", "\r") });
            this.keys.value = "";
        };
        this.keys.oncompositionend = () => this.keys.oninput({});
        this.keys.onpaste = (event) => {
            event.preventDefault();
            const text = event.clipboardData.getData("text");
            // In pieces that a message has room for, and that do not cut a character in two.
            const letters = [...text];
            for (let at = 0; at < letters.length; at += 4000) say({ paste: letters.slice(at, at + 4000).join("") });
        };
    }

    // What a terminal sends for a key; null leaves it to the browser, "" to nobody.
    bytes({ key, ctrlKey, altKey, shiftKey, metaKey }) {
        if (metaKey || (ctrlKey && (shiftKey || key === "v"))) return null; // copying and pasting
        if (shiftKey && (key === "PageUp" || key === "PageDown")) {
            this.scroll(key === "PageUp" ? this.height - 2 : 2 - this.height);
            return "";
        }
        if (key === "Tab" && shiftKey) return "\x1b[Z";
        if (MOVES[key]) {
            if (ctrlKey) return `\x1b[1;5${MOVES[key]}`;
            return `\x1b${this.application ? "O" : "["}${MOVES[key]}`;
        }
        if (KEYS[key]) return (altKey ? "\x1b" : "") + KEYS[key];
        if (key.length !== 1) return null;
        // With caps lock on, it is C.
        if (ctrlKey && /[a-zA-Z@[\\\]^_ ?]/.test(key)) return key === "?" ? "\x7f" : String.fromCharCode(key.charCodeAt(0) & 31);
        return altKey && !ctrlKey ? `\x1b${key}` : null;
    }

    show(open, focus) {
        this.say({ terminal: open });
        if (open) {
            this.resize(this.height);
            if (focus) this.keys.focus({ preventScroll: true });
        }
    }

    resize(height) {
        // All of it can be seen, with the buttons above it.
        const fit = Math.floor((innerHeight * 0.6 - this.screen.offsetTop) / (this.screen.clientHeight / this.rows.children.length || 18));
        this.height = Math.max(6, Math.min(40, fit, height));
        this.say({ rows: this.height });
    }

    scroll(lines) {
        this.back = Math.max(0, this.back + lines);
        this.say({ back: this.back });
    }

    draw({ rows, changed, cursor, back, application }) {
        this.back = back;
        this.application = application;
        while (this.rows.children.length < rows) this.rows.append(make("div", ""));
        while (this.rows.children.length > rows) this.rows.lastChild.remove();
        for (const [at, pieces] of changed) this.rows.children[at].replaceChildren(...pieces.map(piece));
        this.cursor.hidden = cursor === null;
        if (cursor) {
            this.cursor.style.top = `calc(${cursor[0]} * var(--row))`;
            this.cursor.style.left = `${cursor[1]}ch`;
            // On a narrow page it is followed to the right, and back, when it moves.
            if (cursor[1] === this.column) return;
            this.column = cursor[1];
            const { offsetLeft } = this.cursor, { scrollLeft, clientWidth } = this.screen;
            if (offsetLeft > scrollLeft + clientWidth - 20 || offsetLeft < scrollLeft) this.screen.scrollLeft = offsetLeft - clientWidth + 60;
        }
    }
}
