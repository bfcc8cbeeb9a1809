/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fuzz: what the harnesses share. A harness is a function over bytes, LLVMFuzzerTestOneInput,
 * linked with libFuzzer (meson option `fuzz`, with clang), or with replay.c into a program that
 * runs the inputs of the corpus.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Aborts with this message unless `kept`. */
void fuzz_promise(bool kept, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The bytes of an input, taken from the front. After the end they are 0. */
struct input {
    const uint8_t *at, *end;
};

bool input_ended(const struct input *input);
uint8_t input_byte(struct input *input);
unsigned input_word(struct input *input); /* two bytes, the low one first */

/* The next `*length` bytes, or as many as there are. */
const uint8_t *input_take(struct input *input, size_t *length);
