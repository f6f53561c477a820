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

    function mark(code) {
        const commands = [];
        const lines = code.textContent.replace(/\n$/, "").split("\n");
        code.replaceChildren();
        for (const line of lines) {
            const match = typed.exec(line);
            if (match) {
                commands.push(match[2]);
                code.append(piece("prompt", match[1]), piece("command", match[2] + "\n"));
            } else {
                code.append(piece("answer", line + "\n"));
            }
        }
        return commands.join("\n");
    }

    for (const code of document.querySelectorAll("code.language-console")) {
        code.dataset.commands = mark(code);
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
            () => { button.setAttribute("aria-label", "Copied"); },
            () => { button.setAttribute("aria-label", "Could not be copied"); },
        );
    }, true);
})();
