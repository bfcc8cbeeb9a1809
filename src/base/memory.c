/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "jpki/base.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

bool jpki_buffer_append(struct jpki_buffer *buffer, const void *data, size_t length, size_t limit)
{
    if (buffer->length > limit || length > limit - buffer->length)
        return false;

    if (length == 0)
        return true;
    uint8_t *grown = realloc(buffer->data, buffer->length + length);
    if (grown == NULL)
        return false;
    memcpy(grown + buffer->length, data, length);
    buffer->data = grown;
    buffer->length += length;
    return true;
}

void jpki_buffer_clear(struct jpki_buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct jpki_buffer){0};
}

/* In pages of its own: the system rounds the lengths up to whole ones. */
void *jpki_secret_new(const void *bytes, size_t length)
{
    void *secret = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (secret == MAP_FAILED)
        return NULL;

    /* A low RLIMIT_MEMLOCK must not keep people from logging in: unlocked is second best. */
    if (mlock(secret, length) != 0)
        jpki_log(JPKI_LOG_INFO, "memory for secrets cannot be locked");
    (void)madvise(secret, length, MADV_DONTDUMP);
    (void)madvise(secret, length, MADV_WIPEONFORK);
    return memcpy(secret, bytes, length);
}

void jpki_secret_free(void *secret, size_t length)
{
    if (secret == NULL)
        return;
    explicit_bzero(secret, length);
    (void)munmap(secret, length);
}
