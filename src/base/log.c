/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "jpki/base.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER; /* guards log_file */
static FILE *log_file;                                       /* NULL: standard error */
static atomic_int log_level = JPKI_LOG_WARNING;

static const char *const level_names[] = {
    [JPKI_LOG_OFF] = "",      [JPKI_LOG_ERROR] = "error", [JPKI_LOG_WARNING] = "warning",
    [JPKI_LOG_INFO] = "info", [JPKI_LOG_DEBUG] = "debug",
};

static void set_file(FILE *file)
{
    pthread_mutex_lock(&log_lock);
    if (log_file != NULL)
        (void)fclose(log_file);
    log_file = file;
    pthread_mutex_unlock(&log_lock);
}

/* A child must not find the lock held by a thread that it does not have. */
static void before_fork(void)
{
    pthread_mutex_lock(&log_lock);
}

static void after_fork(void)
{
    pthread_mutex_unlock(&log_lock);
}

__attribute__((constructor)) static void watch_forks(void)
{
    (void)pthread_atfork(before_fork, after_fork, after_fork);
}

bool jpki_log_open(enum jpki_log_level level, const char *file)
{
    FILE *opened = NULL;
    if (file != NULL && file[0] != '\0') {
        opened = fopen(file, "ae");
        if (opened == NULL)
            return false;
    }
    set_file(opened);
    atomic_store(&log_level, (int)level);
    return true;
}

void jpki_log_close(void)
{
    set_file(NULL);
    atomic_store(&log_level, JPKI_LOG_WARNING);
}

static bool wanted(enum jpki_log_level level)
{
    return (int)level <= atomic_load(&log_level);
}

static void write_line(enum jpki_log_level level, const char *text)
{
    struct timespec now;
    struct tm parts;
    char stamp[16] = "";
    if (clock_gettime(CLOCK_REALTIME, &now) == 0 && localtime_r(&now.tv_sec, &parts) != NULL)
        (void)strftime(stamp, sizeof stamp, "%H:%M:%S", &parts);

    pthread_mutex_lock(&log_lock);
    FILE *file = log_file != NULL ? log_file : stderr;
    (void)fprintf(file, "jpki-pkcs11 %s.%03ld %s: %s\n", stamp, now.tv_nsec / 1000000,
                  level_names[level], text);
    (void)fflush(file);
    pthread_mutex_unlock(&log_lock);
}

void jpki_log(enum jpki_log_level level, const char *format, ...)
{
    if (!wanted(level))
        return;
    char text[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    write_line(level, text);
}

void jpki_log_apdu(const uint8_t *command, size_t command_length, const uint8_t *answer,
                   size_t answer_length)
{
    if (!wanted(JPKI_LOG_DEBUG) || command_length < 4)
        return;
    char status[8] = "none";
    if (answer_length >= 2)
        (void)snprintf(status, sizeof status, "%02X%02X", answer[answer_length - 2],
                       answer[answer_length - 1]);
    jpki_log(JPKI_LOG_DEBUG, "%02X %02X %02X %02X (%zu bytes) -> %s (%zu bytes)", command[0],
             command[1], command[2], command[3], command_length, status, answer_length);
}
