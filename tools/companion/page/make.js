// make("button.quiet", {title: "…"}, "text", child…): text only, so that nothing from a machine is ever HTML.
export function make(kind, properties = {}, ...children) {
    const [name, ...classes] = kind.split(".");
    const element = document.createElement(name);
    element.className = classes.join(" ");
    for (const [key, value] of Object.entries(properties)) {
        if (key in element) element[key] = value; else element.setAttribute(key, value);
    }
    element.append(...children);
    return element;
}
