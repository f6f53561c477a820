// Sessions as a tool: a block of commands and answers gives only its commands to whoever copies it,
// by hand or with the button. Without JavaScript the block is plain text and reads the same.
"use strict";

(function () {
    // "$ command" is typed, everything else came back. "# /etc/..." is what systemctl cat answers.
    const typed = /^(\$ )(.*)$/;

    function piece(kind, text) {
        const span = document.createElement("span");
        span.className = kind;
        span.textContent = text;
        return span;
    }

    // A line may end between the words of a command, and not after the hyphens of an option.
    function command(text) {
        const span = piece("command", "");
        for (const part of text.split(/( )/)) {
            span.append(part === " " ? part : piece("word", part));
        }
        span.append("\n");
        return span;
    }

    // What systemctl(1) status colours in a terminal; the dot of a service takes the colour of its state,
    // which stands a few lines further down.
    const coloured = /(^●(?= )|active \(running\))|(^×(?= )|failed(?= \(Result))/;

    function answer(lines, at) {
        const line = piece("answer", "");
        const text = lines[at];
        const match = coloured.exec(text);
        const runs = lines.slice(at, at + 8).some((later) => later.includes("Active: active (running)"));
        if (match && (match[2] || runs)) {
            line.append(text.slice(0, match.index), piece(match[1] ? "good" : "bad", match[0]),
                text.slice(match.index + match[0].length));
        } else {
            line.append(text);
        }
        line.append("\n");
        return line;
    }

    function mark(code) {
        const commands = [];
        const lines = code.textContent.replace(/\n$/, "").split("\n");
        code.replaceChildren();
        for (const [at, line] of lines.entries()) {
            const match = typed.exec(line);
            if (match) {
                commands.push(match[2]);
                code.append(piece("prompt", match[1]), command(match[2]));
            } else {
                code.append(answer(lines, at));
            }
        }
        return commands.join("\n");
    }

    for (const code of document.querySelectorAll("code.language-console")) {
        code.dataset.commands = mark(code);
        code.parentElement.dataset.who = /^(.*[|;] )?sudo /m.test(code.dataset.commands)
            ? "you type (sudo asks for your password)" : "you type";
    }

    // What scrolls has to be reached with the keyboard.
    function reachable() {
        for (const one of document.querySelectorAll("main pre > code, main figure, main .table-wrapper")) {
            const scrolls = one.scrollWidth > one.clientWidth || one.scrollHeight > one.clientHeight;
            if (scrolls) {
                one.tabIndex = 0;
            } else {
                one.removeAttribute("tabindex");
            }
        }
    }
    reachable();
    addEventListener("resize", reachable);
    document.addEventListener("toggle", reachable, true);

    // mdBook's own button for the table of contents is a label, which no key reaches.
    const contents = document.querySelector("label#mdbook-sidebar-toggle, label#sidebar-toggle");
    if (contents) {
        contents.setAttribute("role", "button");
        contents.tabIndex = 0;
        contents.addEventListener("keydown", function (event) {
            if (event.key === "Enter" || event.key === " ") {
                event.preventDefault();
                contents.click();
            }
        });
    }

    // On paper, the solutions are open; older browsers need this besides the style.
    let opened = [];
    addEventListener("beforeprint", function () {
        opened = [...document.querySelectorAll("details:not([open])")];
        for (const one of opened) {
            one.open = true;
        }
    });
    addEventListener("afterprint", function () {
        for (const one of opened) {
            one.open = false;
        }
    });

    // As mdBook does it, which takes it away again when the mouse leaves.
    function say(button, text) {
        button.firstChild.textContent = text;
        button.classList.add("tooltipped");
        button.setAttribute("aria-label", text);
    }

    // Before mdBook's own handler, which would copy the whole block.
    document.addEventListener("click", function (event) {
        const button = event.target.closest(".clip-button");
        const code = button && button.closest("pre").querySelector("code.language-console");
        if (!code) {
            return;
        }
        event.stopPropagation();
        navigator.clipboard.writeText(code.dataset.commands).then(
            () => { say(button, "Copied!"); },
            () => { say(button, "Could not be copied"); },
        );
    }, true);
})();
