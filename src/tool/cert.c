/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* jpki-tool cert auth|sign|auth-ca|sign-ca. */
#include "cert.h"

#include <string.h>
#include <unistd.h>

/* Which one is meant. */
struct wanted {
    const char *word;
    enum jpki_key key;
    enum jpki_certificate_use use;
};
static const struct wanted wanted[] = {
    {"auth", JPKI_KEY_AUTH, JPKI_HOLDER},
    {"sign", JPKI_KEY_SIGN, JPKI_HOLDER},
    {"auth-ca", JPKI_KEY_AUTH, JPKI_AUTHORITY},
    {"sign-ca", JPKI_KEY_SIGN, JPKI_AUTHORITY},
};

static const struct wanted *find_wanted(const char *word)
{
    const struct wanted *found = wanted;
    while (strcmp(found->word, word) != 0) /* check_operands() knows the same words */
        found++;
    return found;
}

/* Copies what was read: locking the card again forgets it. */
static enum exit_code take(const struct jpki_credential *credential, enum jpki_certificate_use use,
                           struct jpki_buffer *copy)
{
    const struct jpki_certificate_slot *slot = &credential->certificates[use];
    if (slot->state != JPKI_CERTIFICATE_WHOLE)
        return fail_with(JPKI_ERR_NOT_FOUND, NULL);
    struct jpki_field content = slot->certificate->value;
    if (!jpki_buffer_append(copy, content.data, content.length, JPKI_FILE_MAX))
        return fail_with(JPKI_ERR_MEMORY, NULL);
    return EXIT_OK;
}

/* After its PIN. */
static enum exit_code read_hidden(struct tool *tool, struct jpki_reader *reader, enum jpki_key key,
                                  enum jpki_certificate_use use, struct jpki_buffer *copy)
{
    struct jpki_credential *credential = jpki_reader_credential(reader, key);
    enum exit_code code = unlock(tool, reader, key);
    if (code != EXIT_OK)
        return code;
    enum jpki_error error = read_certificate_until(credential, use, JPKI_CERTIFICATE_WHOLE);
    code =
        error == JPKI_OK ? take(credential, use, copy) : fail_with(error, jpki_reader_name(reader));
    enum exit_code locked = lock_again(reader, key);
    return code == EXIT_OK ? locked : code;
}

enum exit_code copy_certificate(struct tool *tool, struct jpki_reader *reader, enum jpki_key key,
                                enum jpki_certificate_use use, struct jpki_buffer *copy)
{
    struct jpki_credential *credential = jpki_reader_credential(reader, key);
    if (use == JPKI_HOLDER && credential->is_private)
        return read_hidden(tool, reader, key, use, copy);
    enum jpki_error error = jpki_reader_hold(reader, JPKI_LISTING_PATIENCE);
    if (error == JPKI_OK)
        error = read_certificate_until(credential, use, JPKI_CERTIFICATE_WHOLE);
    enum exit_code code = EXIT_OK;
    bool hidden = credential->certificates[use].state == JPKI_CERTIFICATE_HIDDEN; /* of a phone */
    if (error == JPKI_OK && !hidden)
        code = take(credential, use, copy);
    jpki_reader_release(reader);
    if (error != JPKI_OK)
        return fail_with(error, jpki_reader_name(reader));
    return hidden ? read_hidden(tool, reader, key, use, copy) : code;
}

static enum exit_code print(struct tool *tool, struct jpki_field certificate)
{
    if (has_option(tool, OPTION_TEXT)) {
        if (!print_certificate(tool->shared.crypto, certificate))
            return fail_with(JPKI_ERR_CERTIFICATE, NULL);
    } else if (has_option(tool, OPTION_DER)) {
        (void)fwrite(certificate.data, 1, certificate.length, stdout);
    } else {
        print_pem(certificate);
    }
    return EXIT_OK;
}

static enum exit_code check_usage(const struct tool *tool)
{
    int forms =
        has_option(tool, OPTION_PEM) + has_option(tool, OPTION_DER) + has_option(tool, OPTION_TEXT);
    if (forms > 1) {
        complain(TEXT(one_form));
        return EXIT_USAGE;
    }
    if (has_option(tool, OPTION_DER) && isatty(STDOUT_FILENO)) {
        complain(TEXT(der_to_terminal));
        return EXIT_USAGE;
    }
    return EXIT_OK;
}

enum exit_code run_cert(struct tool *tool)
{
    enum exit_code code = check_usage(tool);
    if (code != EXIT_OK)
        return code;
    struct jpki_reader *reader = open_one_reader(tool, &code);
    if (reader == NULL)
        return code;
    struct jpki_buffer copy = {0};
    const struct wanted *which = find_wanted(tool->operands[0]);
    code = copy_certificate(tool, reader, which->key, which->use, &copy);
    close_reader(reader);
    if (code == EXIT_OK)
        code = print(tool, (struct jpki_field){copy.data, copy.length});
    if (copy.data != NULL)
        explicit_bzero(copy.data, copy.length);
    jpki_buffer_clear(&copy);
    return code;
}
