/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void fuzz_promise(bool kept, const char *format, ...)
{
    if (kept)
        return;
    va_list args;
    va_start(args, format);
    (void)fputs("fuzz: failed: ", stderr);
    (void)vfprintf(stderr, format, args);
    (void)fputc('\n', stderr);
    va_end(args);
    abort();
}

bool input_ended(const struct input *input)
{
    return input->at == input->end;
}

uint8_t input_byte(struct input *input)
{
    return input_ended(input) ? 0 : *input->at++;
}

unsigned input_word(struct input *input)
{
    unsigned low = input_byte(input);
    return low | (unsigned)input_byte(input) << 8;
}

const uint8_t *input_take(struct input *input, size_t *length)
{
    const uint8_t *taken = input->at;
    size_t left = (size_t)(input->end - input->at);
    if (*length > left)
        *length = left;
    input->at += *length;
    return taken;
}
