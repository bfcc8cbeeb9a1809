/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "general.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* What is read at once lies within a page, or a part of a larger one: all of it can be read, or
 * none. */
enum { PAGE = 4096 };

/* Copies `length` bytes, or as far as the first NUL; returns how many. -1 where there is no memory
 * to read. */
static ssize_t read_memory(char *to, const char *from, size_t length)
{
    struct iovec local = {to, length}, remote = {(void *)(uintptr_t)from, length};
    ssize_t got = process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
    if (got >= 0 || errno == EFAULT)
        return got;
    /* A filter of system calls is in the way: the pointer has to be trusted. */
    size_t text = strnlen(from, length);
    memcpy(to, from, text);
    if (text < length)
        to[text++] = '\0';
    return (ssize_t)text;
}

bool general_copy_text(const char *text, char *copy, size_t size)
{
    for (size_t done = 0; done < size;) {
        size_t length = PAGE - (uintptr_t)(text + done) % PAGE;
        if (length > size - done)
            length = size - done;
        ssize_t got = read_memory(copy + done, text + done, length);
        if (got <= 0)
            return false;
        if (memchr(copy + done, '\0', (size_t)got) != NULL)
            return true;
        done += (size_t)got;
    }
    return false;
}
