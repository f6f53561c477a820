// What a server on loopback has to keep out, tried: node attacks.mjs ADDRESS. Prints a line for each test.
import assert from "node:assert/strict";
import { createConnection } from "node:net";

const address = new URL(process.argv[2]);
const { host, port, origin } = address;
const token = address.searchParams.get("token");
const cookie = `hellod-${port}=${token}`;

const about = process.env.ABOUT ? `${process.env.ABOUT}: ` : "";
async function it(what, test) {
    try {
        await test();
        console.log(`ok      ${about}${what}`);
    } catch (error) {
        console.log(`FAILED  ${about}${what}\n        ${String(error.message).replaceAll("\n", "\n        ")}`);
    }
}

// The bytes of a request, as no browser would send them; the head of what comes back.
function raw(method, path, headers) {
    return new Promise((resolve, reject) => {
        const socket = createConnection(port, "127.0.0.1");
        socket.setTimeout(20_000, () => socket.destroy(new Error("no answer")));
        const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join("");
        socket.write(`${method} ${path} HTTP/1.1\r\n${lines}\r\n`);
        let head = "";
        socket.on("data", (data) => {
            head += data.toString("latin1");
            if (head.includes("\r\n\r\n")) resolve({ status: Number(head.split(" ")[1]), head, socket });
        });
        socket.on("error", reject);
        socket.on("close", () => reject(new Error("closed without an answer")));
    });
}
const ask = async (method, path, headers) => {
    const answer = await raw(method, path, headers);
    answer.socket.destroy();
    return answer;
};
const handshake = { Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==" };
const good = { Host: host, Origin: origin, Cookie: cookie, ...handshake };
const without = (headers, name) => Object.fromEntries(Object.entries(headers).filter(([key]) => key !== name));

// A frame of a client, and those of the server as text.
function frame(text) {
    const body = Buffer.from(text);
    const head = body.length < 126 ? Buffer.from([0x81, 0x80 | body.length])
        : body.length < 65536 ? Buffer.from([0x81, 0x80 | 126, body.length >> 8, body.length & 255])
            : Buffer.from([0x81, 0x80 | 127, 0, 0, 0, 0, (body.length >>> 24) & 255, (body.length >>> 16) & 255, (body.length >>> 8) & 255, body.length & 255]);
    return Buffer.concat([head, Buffer.alloc(4), body]);
}
async function connect() {
    const { socket, status } = await raw("GET", "/live", good);
    assert.equal(status, 101);
    let all = Buffer.alloc(0);
    socket.on("data", (data) => { all = Buffer.concat([all, data]); });
    return {
        socket,
        send: (value) => socket.write(frame(typeof value === "string" ? value : JSON.stringify(value))),
        async says(text) {
            for (const end = Date.now() + 60_000; Date.now() < end;) {
                if (all.includes(text)) return;
                await new Promise((resolve) => setTimeout(resolve, 20));
            }
            throw new Error(`should say ${text}, says ${all.toString().slice(-1000)}`);
        },
        closed: () => new Promise((resolve) => { if (socket.closed) resolve(); else socket.on("close", resolve); }),
        forget: () => { all = Buffer.alloc(0); },
    };
}

await it("its own page connects", async () => {
    assert.equal((await ask("GET", "/live", good)).status, 101);
});

const paths = ["/", "/01-hello-loop.html", "/live/live.js", "/live", "/nothing"];
await it("a foreign Host gets nothing, wherever: DNS rebinding", async () => {
    for (const name of ["evil.example", `evil.example:${port}`, `localhost.evil.example:${port}`, "localhost", `localhost:${Number(port) + 1}`, ""]) {
        for (const path of paths) {
            const { status, head } = await ask("GET", path, { ...good, Host: name });
            assert.equal(status, 403, `${name} ${path}`);
            assert.ok(!head.includes("<html"), path);
        }
    }
    for (const name of [`127.0.0.1:${port}`, `[::1]:${port}`]) assert.equal((await ask("GET", "/", { Host: name })).status, 200);
});

await it("a foreign Origin does not connect, nor one that is not said", async () => {
    for (const one of ["http://evil.example", "null", "", `https://${host}`, `http://localhost:${Number(port) + 1}`, "file://"]) {
        assert.equal((await ask("GET", "/live", { ...good, Origin: one })).status, 403, one);
    }
    assert.equal((await ask("GET", "/live", without(good, "Origin"))).status, 403);
});

await it("no token, a wrong one, part of one, and one of another server do not connect", async () => {
    assert.equal((await ask("GET", "/live", without(good, "Cookie"))).status, 401);
    const names = [`hellod-${port}=`, `hellod-${port}=${"0".repeat(32)}`, `hellod-${port}=${token.slice(1)}`, `hellod-${port}=${token}0`, `hellod-1=${token}`];
    for (const one of names) assert.equal((await ask("GET", "/live", { ...good, Cookie: one })).status, 401, one);
    for (const one of ["", "0".repeat(32), token.slice(1)]) assert.equal((await ask("GET", `/?token=${one}`, { Host: host })).status, 403, one);
});

await it("the token goes into a cookie that no script reads and no other site sends, and out of the address", async () => {
    const { status, head } = await ask("GET", `/02-journal.html?token=${token}`, { Host: host });
    assert.equal(status, 303);
    assert.match(head, /location: \/02-journal.html\r\n/);
    assert.match(head, new RegExp(`set-cookie: hellod-${port}=${token}; Path=/; HttpOnly; SameSite=Strict\r\n`));
});

await it("nothing can be sent, but to its socket", async () => {
    for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
        for (const path of paths) assert.equal((await ask(method, path, { ...good, "Content-Length": "0" })).status, 405, `${method} ${path}`);
    }
});

await it("no page is shown in a frame, no other site reads one, and only the book's scripts run", async () => {
    for (const path of paths) {
        const { head } = await ask("GET", path, { Host: host, Origin: "http://evil.example" });
        assert.match(head, /content-security-policy: default-src 'self';.*frame-ancestors 'none'/);
        assert.ok(!/script-src[^;]*unsafe/.test(head), path);
        assert.ok(!/access-control/i.test(head), path);
        assert.match(head, /x-content-type-options: nosniff/);
        assert.match(head, /cross-origin-resource-policy: same-origin/);
    }
});

await it("it shows the book, and no other file", async () => {
    for (const path of ["/../../Cargo.toml", "/..%2f..%2fCargo.toml", "/%2e%2e/%2e%2e/Cargo.toml", "/../../README.html", "//etc/passwd", "/....//....//etc/passwd"]) {
        const { status } = await ask("GET", path, good);
        assert.ok([400, 403, 404].includes(status), `${path}: ${status}`);
    }
});

await it("what is not in the book is not run: steps, blocks, exercises, releases, texts", async () => {
    const page = await connect();
    for (const [job, why] of [
        [{ part: { step: "99-nothing", part: "install" } }, "there is no such step"],
        [{ part: { step: "../..", part: "install" } }, "there is no such step"],
        [{ part: { step: "05-graceful-stop", part: "nothing" } }, "there is no such block"],
        [{ part: { step: "05-graceful-stop", part: "install; touch /tmp/evil" } }, "there is no such block"],
        [{ exercise: { number: "9.9; touch /tmp/evil" } }, "there is no such exercise"],
        [{ exercise: { number: "../1" } }, "there is no such exercise"],
        [{ exercise: { number: "9.9" } }, "there is no such exercise"],
    ]) {
        page.forget();
        page.send({ play: { suite: "trixie", job } });
        await page.says(why);
    }
    for (const [ask, why] of [
        [{ play: { suite: "sid; touch /tmp/evil", job: { exercise: { number: "1.1" } } } }, "there is no lab of"],
        [{ play: { suite: "trixie", job: { part: { step: "05-graceful-stop", part: "install", command: "touch /tmp/evil" } } } }, "not understood"],
        [{ play: { suite: "trixie", job: { line: "touch /tmp/evil" } } }, "not understood"],
        [{ chapter: "../../etc" }, "there is no step"],
        [{ hints: { exercise: "1.x", count: 3 } }, "there is no exercise"],
        [{ hints: { exercise: "1.1", count: "all" } }, "not understood"],
        [{ rows: "ten" }, "not understood"],
        [{ rows: -1 }, "not understood"],
        [{ rows: 1e9 }, "not understood"],
        [{ back: 1e300 }, "not understood"],
        ["{", "not understood"],
        ["[]", "not understood"],
    ]) {
        page.forget();
        page.send(ask);
        await page.says(why);
    }
    page.socket.destroy();
});

await it("a message that is too long ends the connection, and nothing else", async () => {
    const page = await connect();
    page.send(`{"keys":"${"x".repeat(70_000)}"}`);
    await page.closed();
    (await connect()).socket.destroy();
});

await it("a page that reads nothing is dropped, and the others go on", async () => {
    const slow = await connect();
    slow.socket.pause();
    slow.send({ terminal: true });
    const page = await connect();
    page.send({ terminal: true });
    await page.says("book$");
    page.send({ keys: "yes 0123456789012345678901234567890123456789 | head -n 4000000; echo it is over | tr a-z A-Z\r" });
    await page.says("IT IS OVER");
    page.socket.destroy();
    slow.socket.resume();
    slow.socket.destroy();
});

await it("a hundred pages and no more", async () => {
    const pages = [];
    for (let full = false; !full;) {
        const { status, socket } = await raw("GET", "/live", good);
        full = status === 503;
        if (!full) pages.push(socket);
        assert.ok(pages.length <= 100);
    }
    assert.ok(pages.length > 80, `${pages.length}`);
    for (const socket of pages) socket.destroy();
    for (const end = Date.now() + 20_000; ;) {
        const { status } = await ask("GET", "/live", good);
        if (status === 101) break;
        assert.ok(Date.now() < end, "still full");
    }
});
