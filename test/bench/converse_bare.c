/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The jobs of test/bench/calls by PC/SC itself: what the card must be sent at the least. */
#include "converse.h"

#include "bare.h"

#include <string.h>

/* A certificate's names and its key lie in its first 768 bytes. */
enum { TO_THE_KEY = 3, WHOLE = 16 };

static void list(struct bare *bare)
{
    bare_select(bare);
    bare_info(bare); /* the serial number */
    bare_tries(bare, &bare_auth);
    bare_tries(bare, &bare_sign);
}

static void objects(struct bare *bare)
{
    bare_select(bare);
    (void)bare_read(bare, bare_auth.certificate, TO_THE_KEY);
    (void)bare_read(bare, bare_auth.ca, TO_THE_KEY);
}

static void log_in(struct bare *bare)
{
    bare_select(bare);
    bare_verify(bare, &bare_auth);
}

static void sign(struct bare *bare)
{
    log_in(bare);
    bare_signature(bare, &bare_auth, false);
}

static void further_signature(struct bare *bare)
{
    sign(bare);
    (void)card_command(0, "reset-counters");
    bare_signature(bare, &bare_auth, false);
}

/* Another program may have selected its own application since the last time. */
static void token_info(struct bare *bare)
{
    bare_select(bare);
    bare_tries(bare, &bare_auth);
}

static void ssh(struct bare *bare)
{
    log_in(bare);
    (void)bare_read(bare, bare_auth.certificate, TO_THE_KEY);
    bare_signature(bare, &bare_auth, false);
}

static void firefox(struct bare *bare)
{
    log_in(bare);
    (void)bare_read(bare, bare_auth.certificate, WHOLE);
    (void)bare_read(bare, bare_auth.ca, WHOLE);
    bare_signature(bare, &bare_auth, true);
}

static void firefox_both(struct bare *bare)
{
    firefox(bare);
    bare_verify(bare, &bare_sign);
    (void)bare_read(bare, bare_sign.certificate, WHOLE);
    (void)bare_read(bare, bare_sign.ca, WHOLE);
}

bool do_bare(const char *job, bool by_select)
{
    static const struct {
        const char *name;
        void (*run)(struct bare *bare);
    } jobs[] = {
        {"list", list},
        {"objects", objects},
        {"sign", sign},
        {"pkcs11-tool-sign", sign},
        {"further-signature", further_signature},
        {"token-info", token_info},
        {"engine-cms", sign},
        {"provider-cms", sign},
        {"ssh", ssh},
        {"firefox", firefox},
        {"firefox-both", firefox_both},
    };
    for (size_t i = 0; i < sizeof jobs / sizeof jobs[0]; i++) {
        if (strcmp(jobs[i].name, job) != 0)
            continue;
        struct bare bare;
        bare_connect(&bare, 0, by_select);
        bare_begin(&bare);
        jobs[i].run(&bare);
        bare_end(&bare, SCARD_UNPOWER_CARD);
        bare_disconnect(&bare, SCARD_LEAVE_CARD);
        return true;
    }
    return false;
}
