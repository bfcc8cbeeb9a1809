/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "secrets.h"

#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

bool (*secrets_refuse)(void);

/* ---- Pages ------------------------------------------------------------------------------ */

enum { PAGES_MAX = 64 };

static struct page {
    void *at;
    size_t length;
} pages[PAGES_MAX];

void *__real_mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset);
int __real_munmap(void *at, size_t length);
void *__wrap_mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset);
int __wrap_munmap(void *at, size_t length);

void *__wrap_mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset)
{
    /* Secrets get whole pages. The memory that is zero in a forked child is mapped once, less than
     * a page, and stays mapped. */
    if (length % (size_t)sysconf(_SC_PAGESIZE) != 0)
        return __real_mmap(at, length, protection, flags, fd, offset);
    if (secrets_refuse != NULL && secrets_refuse()) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    void *page = __real_mmap(at, length, protection, flags, fd, offset);
    size_t i = 0;
    while (i < PAGES_MAX && pages[i].at != NULL)
        i++;
    fuzz_promise(i < PAGES_MAX, "pages of secrets are unmapped");
    if (page != MAP_FAILED)
        pages[i] = (struct page){page, length};
    return page;
}

int __wrap_munmap(void *at, size_t length)
{
    for (size_t i = 0; i < PAGES_MAX; i++) {
        if (pages[i].at != at)
            continue;
        const unsigned char *bytes = at;
        fuzz_promise(length == pages[i].length, "a page of secrets is unmapped whole");
        for (size_t j = 0; j < length; j++)
            fuzz_promise(bytes[j] == 0, "a secret is wiped before its page is unmapped");
        pages[i].at = NULL;
    }
    return __real_munmap(at, length);
}

void secrets_check_pages(void)
{
    for (size_t i = 0; i < PAGES_MAX; i++)
        fuzz_promise(pages[i].at == NULL, "a page of secrets is still mapped in the end");
}

/* ---- Log -------------------------------------------------------------------------------- */

static int sink = -1;
static char log_name[] = "/tmp/jpki-fuzz-log.XXXXXX";

static void remove_log(void)
{
    (void)unlink(log_name);
}

const char *secrets_log_options(void)
{
    static char options[64];
    if (sink < 0) {
        sink = mkostemp(log_name, O_CLOEXEC);
        fuzz_promise(sink >= 0 && atexit(remove_log) == 0, "a file for the log");
    }
    (void)snprintf(options, sizeof options, "log=debug log-file=%s", log_name);
    return options;
}

/* Whether the digits found are a status word and not a PIN. */
static bool is_status_word(const char *log, const char *found)
{
    return found - log >= 3 && memcmp(found - 3, "-> ", 3) == 0;
}

static bool is_in(const char *log, size_t length, const char *text, size_t size)
{
    const char *end = log + length;
    for (const char *at = log; (at = memmem(at, (size_t)(end - at), text, size)) != NULL; at++)
        if (!is_status_word(log, at))
            return true;
    return false;
}

static void check_text(const char *log, size_t length, const char *text)
{
    char plain[64] = "", spaced[96] = "";
    size_t size = strlen(text);
    if (size < 4 || 3 * size >= sizeof spaced)
        return;
    for (size_t i = 0; i < size; i++) {
        (void)snprintf(plain + 2 * i, 3, "%02X", (unsigned char)text[i]);
        (void)snprintf(spaced + 3 * i, 4, "%02X ", (unsigned char)text[i]);
    }
    fuzz_promise(!is_in(log, length, text, size) && !is_in(log, length, plain, 2 * size) &&
                     !is_in(log, length, spaced, 3 * size - 1),
                 "the PIN %s is in the log:\n%.*s", text, (int)length, log);
}

/* Of VERIFY and CHANGE only the question for the tries left, a bare header, has a length that the
 * log may tell. */
static void check_lengths(char *log)
{
    char *rest = log;
    for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
        const char *header = strstr(line, ": 00 20 00 ");
        if (header == NULL)
            header = strstr(line, ": 00 24 01 ");
        fuzz_promise(header == NULL || strstr(header, "bytes") == NULL ||
                         strstr(header, "(4 bytes)") != NULL,
                     "the length of a PIN is in the log: %s", line);
    }
}

void secrets_check_log(const char *const *texts, size_t count)
{
    off_t length = sink < 0 ? 0 : lseek(sink, 0, SEEK_END);
    char *log = length <= 0 ? NULL : calloc(1, (size_t)length + 1);
    if (log == NULL)
        return;
    if (pread(sink, log, (size_t)length, 0) == length) {
        for (size_t i = 0; i < count; i++)
            check_text(log, (size_t)length, texts[i]);
        check_lengths(log);
    }
    free(log);
    fuzz_promise(ftruncate(sink, 0) == 0, "the log is emptied");
}
