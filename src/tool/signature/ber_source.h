/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* BER (X.690) read value by value out of a file of any size, which may be PEM. Lengths may be
 * indefinite. The functions return false at the end, and for what is not as it was asked for. */
#pragma once

#include "signature/input_file.h"

#include <openssl/evp.h>

struct ber_source {
    struct input_file *input;
    EVP_ENCODE_CTX *base64; /* NULL: no PEM */
    uint8_t *text;          /* of PEM, before it is decoded */
    uint8_t *bytes;
    size_t at, length; /* in `bytes` */
    uint64_t position; /* bytes taken so far */
    bool ended;
    enum exit_code failed; /* the file could not be read: a message was given */
};

/* ber_close() is due in any case. */
enum exit_code ber_open(struct input_file *input, struct ber_source *source);
void ber_close(struct ber_source *source);

/* A value that holds others. */
struct ber_level {
    bool indefinite;
    uint64_t end; /* its position, where the length is definite */
};

bool ber_enter(struct ber_source *source, uint8_t tag, struct ber_level *level);
bool ber_at_end(struct ber_source *source, const struct ber_level *level);
bool ber_leave(struct ber_source *source, const struct ber_level *level);

/* A short value with its header. */
enum { BER_VALUE_MAX = 400 };
struct ber_value {
    uint8_t bytes[BER_VALUE_MAX];
    size_t header, length; /* of the header, and in all */
};
bool ber_read(struct ber_source *source, uint8_t tag, struct ber_value *value);

/* The next tag; it is still to be read. */
bool ber_peek(struct ber_source *source, uint8_t *tag);

/* Calls `take` with the content of a value, piece by piece. */
bool ber_stream(struct ber_source *source, uint8_t tag,
                bool (*take)(void *context, const uint8_t *bytes, size_t length), void *context);

/* All that is left; false when it is more than `most`. */
bool ber_read_all(struct ber_source *source, size_t most, struct jpki_buffer *rest);
