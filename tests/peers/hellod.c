/* hellod in C, with as little as it takes: the work of step 07, to compare with. See scripts/bench.sh. */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static char path[108], name[80];
static size_t length;
static int signals, held, visit;

static void notify(const char *text)
{
    const char *socket_path = getenv("NOTIFY_SOCKET");
    if (!socket_path)
        return;
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    strncpy(to.sun_path, socket_path, sizeof to.sun_path - 1);
    int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (sendto(sock, text, strlen(text), 0, (struct sockaddr *)&to,
               offsetof(struct sockaddr_un, sun_path) + strlen(to.sun_path)) < 0)
        warn("notify");
    close(sock);
}

static long long now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

static int signal_came(void)
{
    struct signalfd_siginfo info;
    return read(signals, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : 0;
}

static void greet(void)
{
    if (length)
        dprintf(2, "Hello, %.*s\n", (int)length, name);
    length = 0;
}

static int open_again(void)
{
    char self[32];
    snprintf(self, sizeof self, "/proc/self/fd/%d", held);
    return open(self, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}

static ssize_t read_some(void)
{
    char buffer[4096];
    ssize_t got = read(visit, buffer, sizeof buffer);
    for (ssize_t at = 0; at < got; at++) {
        if (buffer[at] == '\n')
            greet();
        else if (length < sizeof name)
            name[length++] = buffer[at];
    }
    if (got == 0) {
        greet();
        close(visit);
        visit = open_again();
    }
    return got;
}

static int in_place(void)
{
    struct stat found, ours;
    return lstat(path, &found) == 0 && fstat(held, &ours) == 0 && found.st_ino == ours.st_ino;
}

int main(void)
{
    static const char *phrases[] = { "hello", "good morning", "good night" };
    sigset_t ending;
    sigemptyset(&ending);
    sigaddset(&ending, SIGTERM);
    sigaddset(&ending, SIGINT);
    sigprocmask(SIG_BLOCK, &ending, NULL);
    signals = signalfd(-1, &ending, SFD_NONBLOCK | SFD_CLOEXEC);
    snprintf(path, sizeof path, "%s/hellod.pipe", getenv("RUNTIME_DIRECTORY"));

    for (int known = 0; known < 3; known++) {
        char status[64];
        snprintf(status, sizeof status, "STATUS=Learning phrase %d of 3: %s\n", known + 1, phrases[known]);
        dprintf(2, "%s", status + 7);
        notify(status);
        if (poll(&(struct pollfd){ .fd = signals, .events = POLLIN }, 1, 1000) > 0)
            return 0;
    }
    if (mkfifo(path, 0600) < 0)
        warn("%s", path);
    held = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
    if (held < 0 || flock(held, LOCK_EX | LOCK_NB) < 0 || fchmod(held, 0622) < 0)
        err(1, "%s", path);
    visit = open_again();
    dprintf(2, "Greeting every 5s\n");
    notify("READY=1\nSTATUS=Greeting every 5s\n");

    int signal = 0, more = 0;
    for (long long next = now(); !signal;) {
        if (!in_place())
            errx(1, "%s is gone", path);
        long long time = now();
        if (time >= next) {
            dprintf(2, "Hello from hellod\n");
            next = time + 5000;
        }
        struct pollfd both[] = { { .fd = signals, .events = POLLIN }, { .fd = visit, .events = POLLIN } };
        poll(both, 2, more ? 0 : (int)(next - time));
        signal = signal_came();
        if (!signal && (more || both[1].revents))
            more = read_some() > 0;
    }
    dprintf(2, "Stopping because of %s\n", signal == SIGTERM ? "SIGTERM" : "SIGINT");
    notify("STOPPING=1\nSTATUS=Saying goodbye\n");
    unlink(path);
    int rest = 0;
    ioctl(visit, FIONREAD, &rest);
    while (rest > 0) {
        ssize_t got = read_some();
        if (got <= 0)
            break;
        rest -= got;
    }
    greet();
    dprintf(2, "Goodbye\n");
    return 0;
}
