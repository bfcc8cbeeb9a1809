/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* Those that end or stop a program at a terminal; and SIGCONT, since a shell may have changed the
 * terminal while we were stopped. */
static const int signals[] = {SIGINT,  SIGTERM, SIGHUP,  SIGQUIT, SIGPIPE,
                              SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT};
enum {
    STOPS = 5,      /* from here on: ask anew */
    BACKGROUND = 7, /* SIGTTOU */
    SIGNALS = sizeof signals / sizeof signals[0],
};

static volatile sig_atomic_t caught[SIGNALS];

static void note_signal(int number)
{
    for (int i = 0; i < SIGNALS; i++)
        if (signals[i] == number)
            caught[i] = 1;
}

/* ---- Lines ------------------------------------------------------------------------------ */

bool lines_equal(const struct line *a, const struct line *b)
{
    return a->length == b->length && a->length <= LINE_MAX_BYTES &&
           memcmp(a->bytes, b->bytes, a->length) == 0;
}

void line_free(struct line *line)
{
    jpki_secret_free(line->bytes, LINE_MAX_BYTES + 1);
    *line = (struct line){0};
}

static bool line_make(struct line *line)
{
    static const uint8_t nothing[LINE_MAX_BYTES + 1];
    *line = (struct line){.bytes = jpki_secret_new(nothing, sizeof nothing)};
    return line->bytes != NULL;
}

/* Whether there is something to read. Signals come in here only, else one could come unnoticed
 * right before the wait. */
static bool wait_for_input(int file, const sigset_t *mask)
{
    struct pollfd wait = {.fd = file, .events = POLLIN};
    return ppoll(&wait, 1, NULL, mask) > 0;
}

/* Byte by byte, so that nothing behind the line is taken. False at a signal or an error; the end of
 * the file ends the line. `mask`: that of wait_for_input, or NULL. */
static bool read_line(int file, const sigset_t *mask, struct line *line)
{
    uint8_t *bytes = line->bytes;
    line->length = 0;
    for (;;) {
        uint8_t *next = bytes + (line->length < LINE_MAX_BYTES ? line->length : LINE_MAX_BYTES);
        ssize_t got = mask == NULL || wait_for_input(file, mask) ? read(file, next, 1) : -1;
        if (got < 0)
            return false;
        if (got == 0 || *next == '\n')
            break;
        line->length += line->length <= LINE_MAX_BYTES;
    }
    if (line->length > 0 && line->length <= LINE_MAX_BYTES && bytes[line->length - 1] == '\r')
        line->length--; /* of a file with the line ends of Windows */
    return true;
}

/* ---- The terminal ----------------------------------------------------------------------- */

static void write_text(int file, const char *text)
{
    if (write(file, text, strlen(text)) < 0) {
        /* Reading fails next. */
    }
}

/* A program in the background is stopped by this (SIGTTOU), and does not try again before it is in
 * the foreground. */
static bool set_terminal(int terminal, const struct termios *wanted)
{
    while (tcsetattr(terminal, TCSAFLUSH, wanted) != 0)
        if (errno != EINTR || caught[BACKGROUND])
            return false;
    return true;
}

/* With this terminal, and signals caught. False: a signal came, or the terminal failed. */
static bool ask_quietly(int terminal, const sigset_t *mask, const char *question, bool echo,
                        struct line *line)
{
    struct termios before, silent;
    if (tcgetattr(terminal, &before) != 0)
        return false;
    silent = before;
    if (!echo)
        silent.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
    bool set = set_terminal(terminal, &silent);
    write_text(terminal, question);
    bool got = set && read_line(terminal, mask, line);
    if (!echo || !got)
        write_text(terminal, "\n");
    (void)set_terminal(terminal, &before);
    return got;
}

/* Lets the signals that came have their way; true when the question has to be asked anew. */
static bool raise_caught(void)
{
    bool again = false;
    for (int i = 0; i < SIGNALS; i++) {
        again |= caught[i] && i >= STOPS;
        if (caught[i] && signals[i] != SIGCONT)
            (void)raise(signals[i]);
    }
    return again;
}

/* What was in force before signals were caught. */
struct signal_state {
    struct sigaction actions[SIGNALS];
    sigset_t mask;
};

/* Those by which the terminal stops a program in the background are not held: they come at once, in
 * the call that is not allowed. */
static void catch_signals(struct signal_state *before)
{
    struct sigaction action = {.sa_handler = note_signal};
    sigset_t held;
    (void)sigemptyset(&action.sa_mask);
    (void)sigemptyset(&held);
    for (int i = 0; i < SIGNALS; i++) {
        caught[i] = 0;
        (void)sigaction(signals[i], &action, &before->actions[i]);
        if (signals[i] != SIGTTIN && signals[i] != SIGTTOU)
            (void)sigaddset(&held, signals[i]);
    }
    (void)sigprocmask(SIG_BLOCK, &held, &before->mask);
}

static void release_signals(const struct signal_state *before)
{
    (void)sigprocmask(SIG_SETMASK, &before->mask, NULL);
    for (int i = 0; i < SIGNALS; i++)
        (void)sigaction(signals[i], &before->actions[i], NULL);
}

/* Once, with signals caught; `again`: a stop came in between. */
static enum exit_code ask_once(const char *question, bool echo, struct line *line, bool *again)
{
    struct signal_state before;
    int terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    *again = false;
    if (terminal < 0) {
        complain(TEXT(no_terminal));
        return EXIT_USAGE;
    }
    catch_signals(&before);
    bool got = ask_quietly(terminal, &before.mask, question, echo, line);
    if (!got)
        explicit_bzero(line->bytes, LINE_MAX_BYTES + 1);
    release_signals(&before);
    (void)close(terminal);
    *again = raise_caught();
    return got && line->length > 0 ? EXIT_OK : EXIT_CANCELLED;
}

/* `if_not` is said where nothing was entered. */
static enum exit_code ask_or(const char *question, bool echo, const char *if_not, struct line *line)
{
    if (!line_make(line))
        return fail_with(JPKI_ERR_MEMORY, NULL);
    (void)flush_output();
    bool again;
    enum exit_code code;
    do
        code = ask_once(question, echo, line, &again);
    while (again && code != EXIT_USAGE);
    if (code == EXIT_CANCELLED)
        complain("%s", if_not);
    if (code != EXIT_OK)
        line_free(line);
    return code;
}

enum exit_code ask_line(const char *question, bool echo, struct line *line)
{
    return ask_or(question, echo, TEXT(cancelled), line);
}

/* ---- PINs ------------------------------------------------------------------------------- */

bool is_unattended(const struct tool *tool)
{
    return has_option(tool, OPTION_PIN_STDIN) || has_option(tool, OPTION_PIN_ENV);
}

static enum exit_code take_from_environment(const char *name, struct line *line)
{
    char *value = getenv(name);
    if (value == NULL || *value == '\0') {
        complain(TEXT(no_variable), name);
        return EXIT_USAGE;
    }
    size_t length = strlen(value);
    line->length = length <= LINE_MAX_BYTES ? length : LINE_MAX_BYTES + 1;
    memcpy(line->bytes, value, line->length);
    explicit_bzero(value, length);
    return EXIT_OK;
}

static enum exit_code take_from_input(struct line *line)
{
    if (read_line(STDIN_FILENO, NULL, line) && line->length > 0)
        return EXIT_OK;
    complain(TEXT(no_input));
    return EXIT_USAGE;
}

enum exit_code read_secret(const struct tool *tool, enum option_id name, const char *question,
                           struct line *line)
{
    bool from_input = has_option(tool, OPTION_PIN_STDIN);
    if (!from_input && !has_option(tool, name)) {
        if (is_unattended(tool)) {
            complain(TEXT(option_needed), option_rows[name].name);
            return EXIT_USAGE;
        }
        return ask_line(question, false, line);
    }
    if (!line_make(line))
        return fail_with(JPKI_ERR_MEMORY, NULL);
    enum exit_code code =
        from_input ? take_from_input(line) : take_from_environment(tool->options[name], line);
    if (code != EXIT_OK)
        line_free(line);
    return code;
}

enum exit_code confirm(const char *question, const char *if_not)
{
    struct line line;
    enum exit_code code = ask_or(question, true, if_not, &line);
    if (code != EXIT_OK)
        return code;
    static const char *const words[] = {"yes", "はい"};
    bool yes = false;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        yes |= line.length == strlen(words[i]) && memcmp(line.bytes, words[i], line.length) == 0;
    line_free(&line);
    if (yes)
        return EXIT_OK;
    complain("%s", if_not);
    return EXIT_CANCELLED;
}

bool has_terminal(void)
{
    int terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (terminal >= 0)
        (void)close(terminal);
    return terminal >= 0;
}

/* ---- While the card works --------------------------------------------------------------- */

static bool holding;
static sigset_t held_before;

void hold_signals(void)
{
    sigset_t held;
    (void)sigemptyset(&held);
    for (int i = 0; i < SIGNALS; i++)
        if (signals[i] != SIGCONT)
            (void)sigaddset(&held, signals[i]);
    if (!holding)
        (void)sigprocmask(SIG_BLOCK, &held, &held_before);
    holding = true;
}

bool signal_waits(void)
{
    sigset_t waiting;
    bool waits = false;
    if (sigpending(&waiting) != 0)
        return false;
    for (int i = 0; i < STOPS; i++)
        waits |= sigismember(&waiting, signals[i]) == 1;
    return waits;
}

void let_signals_go(void)
{
    (void)flush_output();
    if (holding)
        (void)sigprocmask(SIG_SETMASK, &held_before, NULL);
    holding = false;
}
