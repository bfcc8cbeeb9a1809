/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signature/hashing.h"

#include <string.h>

enum exit_code hash_option(const struct tool *tool, OSSL_LIB_CTX *library, struct hash *hash)
{
    static const char *const words[] = {"sha256", "sha384", "sha512", "sha1"};
    const char *word = has_option(tool, OPTION_DIGEST) ? tool->options[OPTION_DIGEST] : words[0];
    *hash = (struct hash){0};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(word, words[i]) == 0)
            hash->function = EVP_MD_fetch(library, word, NULL);
    if (hash->function == NULL) {
        complain(TEXT(bad_digest), word);
        return EXIT_USAGE;
    }
    hash->weak = EVP_MD_is_a(hash->function, "SHA1");
    if (hash->weak)
        complain(TEXT(weak_digest));
    return EXIT_OK;
}

void hash_free(struct hash *hash)
{
    EVP_MD_free(hash->function);
    *hash = (struct hash){0};
}

static bool take(void *context, const uint8_t *bytes, size_t length)
{
    return EVP_DigestUpdate(context, bytes, length) == 1;
}

enum exit_code hash_input(struct input_file *input, struct hash *hash)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned length = 0;
    if (context == NULL || EVP_DigestInit_ex2(context, hash->function, NULL) != 1) {
        EVP_MD_CTX_free(context);
        return fail_with(JPKI_ERR_MEMORY, NULL);
    }
    enum exit_code code = input_each(input, take, context);
    if (code == EXIT_OK && EVP_DigestFinal_ex(context, hash->value, &length) != 1)
        code = fail_with(JPKI_ERR_CRYPTO, NULL);
    hash->length = length;
    EVP_MD_CTX_free(context);
    return code;
}
