/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "jpki/base.h"

#include <stdlib.h>
#include <string.h>

bool jpki_buffer_append(struct jpki_buffer *buffer, const void *data, size_t length, size_t limit)
{
    if (buffer->length > limit || length > limit - buffer->length)
        return false;

    size_t needed = buffer->length + length;
    if (needed > buffer->room) {
        uint8_t *grown = realloc(buffer->data, needed);
        if (grown == NULL)
            return false;
        buffer->data = grown;
        buffer->room = needed;
    }
    if (length > 0)
        memcpy(buffer->data + buffer->length, data, length);
    buffer->length = needed;
    return true;
}

void jpki_buffer_clear(struct jpki_buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct jpki_buffer){0};
}
