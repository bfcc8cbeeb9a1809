/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "jpki/base.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t *lock; /* guards the below */
static int log_file = -1;     /* -1: standard error */
static struct stat log_stat;  /* what the descriptor was when the log was opened */
static bool log_is_there;
static atomic_int log_level = JPKI_LOG_WARNING;

static const char *const level_names[] = {
    [JPKI_LOG_OFF] = "",      [JPKI_LOG_ERROR] = "error", [JPKI_LOG_WARNING] = "warning",
    [JPKI_LOG_INFO] = "info", [JPKI_LOG_DEBUG] = "debug",
};

__attribute__((constructor)) static void set_up(void)
{
    lock = jpki_fork_emptied(sizeof(pthread_mutex_t));
    log_is_there = fstat(STDERR_FILENO, &log_stat) == 0;
}

/* The host may have closed the descriptor, and opened something else that now has its number. */
static bool is_still_log(int file)
{
    struct stat now;
    return log_is_there && fstat(file, &now) == 0 && now.st_dev == log_stat.st_dev &&
           now.st_ino == log_stat.st_ino;
}

int jpki_above_standard_streams(int descriptor)
{
    if (descriptor < 0 || descriptor > STDERR_FILENO)
        return descriptor;
    int moved = fcntl(descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    (void)close(descriptor);
    return moved;
}

bool jpki_log_open(enum jpki_log_level level, const char *file)
{
    /* For its owner only, never through a link or into a pipe that is not read. */
    enum { FLAGS = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK | O_CLOEXEC };
    bool to_file = file != NULL && file[0] != '\0';
    int opened = to_file ? jpki_above_standard_streams(open(file, FLAGS, 0600)) : -1;
    if (to_file && opened < 0)
        return false;
    pthread_mutex_lock(lock);
    if (log_file >= 0 && is_still_log(log_file))
        (void)close(log_file);
    log_file = opened;
    log_is_there = fstat(opened >= 0 ? opened : STDERR_FILENO, &log_stat) == 0;
    pthread_mutex_unlock(lock);
    atomic_store(&log_level, (int)level);
    return true;
}

void jpki_log_close(void)
{
    (void)jpki_log_open(JPKI_LOG_WARNING, NULL);
}

/* In UTC: for the local time the C library takes a lock, which a child may find held for ever. */
void jpki_log(enum jpki_log_level level, const char *format, ...)
{
    if ((int)level > atomic_load(&log_level))
        return;
    char text[512], line[600];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    unsigned second = (unsigned)(now.tv_sec % 86400); /* of the day */
    (void)snprintf(line, sizeof line, "jpki-pkcs11 %02u:%02u:%02u.%03ldZ %s: %s\n", second / 3600,
                   second / 60 % 60, second % 60, now.tv_nsec / 1000000, level_names[level], text);

    pthread_mutex_lock(lock);
    int file = log_file >= 0 ? log_file : STDERR_FILENO;
    if (is_still_log(file) && write(file, line, strlen(line)) < 0) {
        /* There is nowhere to say that the log cannot be written. */
    }
    pthread_mutex_unlock(lock);
}

void jpki_log_apdu(const uint8_t *command, size_t command_length, const uint8_t *answer,
                   size_t answer_length)
{
    enum { INS_VERIFY = 0x20, INS_CHANGE_REFERENCE_DATA = 0x24 };
    if (atomic_load(&log_level) < JPKI_LOG_DEBUG || command_length < 4)
        return;
    char status[8] = "none", sent[32] = "a PIN", received[32] = "";
    if (answer_length >= 2)
        (void)snprintf(status, sizeof status, "%02X%02X", answer[answer_length - 2],
                       answer[answer_length - 1]);
    /* How long a PIN is helps to guess it. */
    if (command_length == 4 ||
        (command[1] != INS_VERIFY && command[1] != INS_CHANGE_REFERENCE_DATA)) {
        (void)snprintf(sent, sizeof sent, "%zu bytes", command_length);
        (void)snprintf(received, sizeof received, " (%zu bytes)", answer_length);
    }
    jpki_log(JPKI_LOG_DEBUG, "%02X %02X %02X %02X (%s) -> %s%s", command[0], command[1], command[2],
             command[3], sent, status, received);
}
