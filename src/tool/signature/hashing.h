/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hashes of files of any size. */
#pragma once

#include "signature/input_file.h"

#include <openssl/evp.h>

/* A hash and how it was made. */
struct hash {
    EVP_MD *function; /* freed by hash_free() */
    uint8_t value[EVP_MAX_MD_SIZE];
    size_t length;
    bool weak; /* SHA-1 */
};

/* The hash function that --digest names, SHA-256 if not given; with a warning where it is weak.
 * EXIT_USAGE after a message. */
enum exit_code hash_option(const struct tool *tool, OSSL_LIB_CTX *library, struct hash *hash);
void hash_free(struct hash *hash);

/* Hashes the input from where it stands to its end. */
enum exit_code hash_input(struct input_file *input, struct hash *hash);
