/* Escape sequences and signals around a frame.
 * May include: libc, report, terminal, status/live. */
#include "status/live.h"

#include "report.h"
#include "terminal.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HIDE_CURSOR "\033[?25l"
#define SHOW_CURSOR "\033[?25h"
#define CLEAR_LINE "\r\033[K" /* of the ^C that the terminal has written */
#define CLEAR_REST "\033[J"

static sigset_t held_signals; /* held back while a frame is drawn */
static volatile sig_atomic_t draws_in_place;
static volatile sig_atomic_t lines_above; /* of the frame before, above the cursor */

static void send(const char *sequence) {
    ssize_t ignored = write(STDOUT_FILENO, sequence, strlen(sequence));
    (void)ignored;
}

/* Nothing is given back: a node that hangs would hold up the end. The library allows it. */
static void end(int signal_number) {
    (void)signal_number;
    if (draws_in_place)
        send(CLEAR_LINE SHOW_CURSOR);
    _exit(STATUS_DONE);
}

/* Ctrl-Z: the shell gets its cursor back, and the next frame comes below what it wrote meanwhile. */
static void pause_drawing(int signal_number) {
    (void)signal_number;
    int error_before = errno;
    send(CLEAR_LINE SHOW_CURSOR);
    raise(SIGSTOP);
    send(HIDE_CURSOR);
    lines_above = 0;
    errno = error_before;
}

static void handle(int signal_number, void (*handler)(int)) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    action.sa_mask = held_signals;
    sigaction(signal_number, &action, NULL);
}

static bool is_ignored(int signal_number) {
    struct sigaction action;
    return sigaction(signal_number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

void live_begin(bool in_place) {
    static const int ends[] = {SIGINT, SIGTERM, SIGQUIT, SIGHUP};
    draws_in_place = in_place && terminal_obeys();
    sigemptyset(&held_signals);
    sigaddset(&held_signals, SIGTSTP);
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        sigaddset(&held_signals, ends[i]);
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        if (ends[i] != SIGHUP || !is_ignored(SIGHUP)) /* nohup */
            handle(ends[i], end);
    if (!draws_in_place)
        return;
    handle(SIGTSTP, pause_drawing);
    send(HIDE_CURSOR);
}

/* Every line is cleared as far as it is not written over, so nothing flickers. */
static void draw_in_place(const char *frame, size_t size) {
    const char *end_of_frame = frame + size;
    if (lines_above > 0)
        printf("\033[%dA", (int)lines_above);
    putchar('\r');
    lines_above = 0;
    while (frame < end_of_frame) {
        const char *line_feed = memchr(frame, '\n', (size_t)(end_of_frame - frame));
        size_t length = (size_t)((line_feed ? line_feed : end_of_frame) - frame);
        fwrite(frame, 1, length, stdout);
        fputs("\033[K\n", stdout);
        lines_above++;
        frame += length + 1;
    }
    fputs(CLEAR_REST, stdout);
}

void live_draw(const char *frame, size_t size) {
    sigset_t before;
    sigprocmask(SIG_BLOCK, &held_signals, &before);
    if (draws_in_place)
        draw_in_place(frame, size);
    else
        fwrite(frame, 1, size, stdout);
    fflush(stdout);
    sigprocmask(SIG_SETMASK, &before, NULL);
}

void live_end(void) {
    if (draws_in_place)
        send(SHOW_CURSOR);
}
