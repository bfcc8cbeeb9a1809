/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* jpki-tool status: what is in each reader. */
#include "tool.h"

static void put_pin(struct jpki_reader *reader, enum jpki_key key, const char *name)
{
    struct jpki_credential *credential = jpki_reader_credential(reader, key);
    struct jpki_pin_status status;
    enum jpki_error error = jpki_credential_pin_status(credential, JPKI_LISTING_PATIENCE, &status);
    unsigned all = jpki_credential_profile(credential)->tries;
    if (error == JPKI_ERR_NO_KEY)
        put_item(name, PLAIN, "%s", TEXT(not_on_card));
    else if (error != JPKI_OK || status.tries == JPKI_TRIES_UNTOLD)
        put_item(name, YELLOW, "%s", TEXT(tries_unknown));
    else
        put_item(name, status.tries == 0 ? RED : PLAIN, TEXT(tries_left), status.tries, all);
}

static enum exit_code show(struct tool *tool, struct jpki_reader *reader, void *context)
{
    (void)tool, (void)context;
    say("%s", jpki_reader_name(reader));
    (void)jpki_credential_check(jpki_reader_credential(reader, JPKI_KEY_AUTH),
                                JPKI_LISTING_PATIENCE);
    put_pin(reader, JPKI_KEY_AUTH, TEXT(name_auth));
    put_pin(reader, JPKI_KEY_SIGN, TEXT(name_sign));
    return EXIT_OK;
}

enum exit_code run_status(struct tool *tool)
{
    return each_reader(tool, show, NULL);
}
