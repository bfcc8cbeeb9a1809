/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "jpki/base.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Stands at the start of its own pages, the bytes right behind. */
struct jpki_secret {
    size_t mapped;
    size_t length;
    uint8_t bytes[];
};

enum { SECRET_MAX = 256 };

void jpki_wipe(void *memory, size_t length)
{
    if (length > 0)
        explicit_bzero(memory, length);
}

struct jpki_secret *jpki_secret_new(const void *bytes, size_t length)
{
    if (length == 0 || length > SECRET_MAX)
        return NULL;

    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t mapped = (sizeof(struct jpki_secret) + length + page - 1) / page * page;
    void *pages = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED)
        return NULL;

    /* A low RLIMIT_MEMLOCK must not keep people from logging in: unlocked is second best. */
    if (mlock(pages, mapped) != 0)
        jpki_log(JPKI_LOG_INFO, "memory for secrets cannot be locked");
    (void)madvise(pages, mapped, MADV_DONTDUMP);
    (void)madvise(pages, mapped, MADV_WIPEONFORK);

    struct jpki_secret *secret = pages;
    secret->mapped = mapped;
    secret->length = length;
    memcpy(secret->bytes, bytes, length);
    return secret;
}

uint8_t *jpki_secret_bytes(struct jpki_secret *secret)
{
    return secret->bytes;
}

size_t jpki_secret_length(const struct jpki_secret *secret)
{
    return secret->length;
}

void jpki_secret_free(struct jpki_secret *secret)
{
    if (secret == NULL)
        return;
    size_t mapped = secret->mapped;
    jpki_wipe(secret, mapped);
    (void)munmap(secret, mapped);
}
