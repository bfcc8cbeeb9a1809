/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "jpki/base.h"

#include <stdlib.h>
#include <string.h>

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
