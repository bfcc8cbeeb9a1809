/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "faults.h"

#include "fuzz.h"
#include "fuzz_winscard.h"
#include "jpki/pcsc.h"
#include "jpki/token.h"
#include "secrets.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

enum { HANG_SECONDS = 60 };

const struct jpki_module_config jpki_module_config = {
    .readers = &jpki_pcsc_readers,
    .slots = JPKI_SLOTS_AUTH | JPKI_SLOTS_SIGN,
};

static const struct faults_run *current;
static struct pins pins;
static unsigned left_open, unwell;
static const char *last_call;

static void on_signal(int number)
{
    static const char text[] = "faults: the fault was:\n";
    (void)!write(STDERR_FILENO, text, sizeof text - 1);
    if (current != NULL)
        current->describe(current->context);
    if (last_call != NULL)
        (void)fprintf(stderr, "faults: last call: %s\n", last_call);
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

static void before(void *context, const struct attempt *attempt)
{
    (void)attempt;
    pins_note(&pins, context);
    if (winscard_leave != NULL)
        winscard_leave();
}

static void after(void *context, const struct attempt *attempt, const char *call, CK_RV rv)
{
    (void)context, (void)rv;
    if (winscard_enter != NULL)
        winscard_enter();
    last_call = call;
    pins_check(&pins, attempt, call);
    winscard_check_call(call);
}

static void count_left_open(void)
{
    struct pins now;
    pins_note(&now, pins_card());
    for (int key = 0; key < JPKI_KEYS; key++) {
        if (now.verified[key]) {
            left_open++;
            (void)fprintf(stderr, "faults: PIN %d stays verified after C_Finalize: ", key);
            current->describe(current->context);
        }
    }
}

static void close_all(struct script *script)
{
    script_finalize(script);
    winscard_check_closed();
    secrets_check_pages();
    script_check_log(script);
}

/* OpenSSL 3.0 does not try again to construct what it once had no memory for. C_Initialize makes a
 * new library context. */
static bool recovers_anew(const struct faults_run *run, struct script *script)
{
    if (!run->renew)
        return false;
    script_finalize(script);
    return script_initialize(script, run->options) == CKR_OK && script_recover(script);
}

void faults_run(const struct faults_run *run)
{
    struct script script = {.card = pins_card(),
                            .brief = true,
                            .before = before,
                            .after = after,
                            .context = pins_card()};
    (void)signal(SIGABRT, on_signal);
    (void)signal(SIGALRM, on_signal);
    (void)alarm(HANG_SECONDS);
    current = run;
    winscard_start(script.card);
    run->arm(run->context);
    CK_RV rv = script_initialize(&script, run->options);
    if (rv == CKR_OK)
        script_walk(&script);
    run->disarm(run->context);
    if (rv != CKR_OK)
        rv = script_initialize(&script, run->options);
    if (run->recover && !script_recover(&script) && !recovers_anew(run, &script)) {
        unwell++;
        (void)fprintf(stderr, "faults: %s still returns %#lx after ", script.surprise,
                      script.surprise_rv);
        run->describe(run->context);
    }
    close_all(&script);
    count_left_open();
    current = NULL;
    (void)alarm(0);
}

static void do_nothing(void *context)
{
    (void)context;
}

unsigned faults_sound(const char *options)
{
    struct script script = {.card = pins_card(), .brief = true};
    struct faults_run none = {options, do_nothing, do_nothing, do_nothing, NULL, true, false};
    faults_run(&none);
    winscard_start(script.card);
    (void)script_initialize(&script, options);
    script_walk(&script);
    script_finalize(&script);
    fuzz_promise(script.surprise == NULL, "%s returned %#lx without any fault", script.surprise,
                 script.surprise_rv);
    return script.signatures;
}

unsigned faults_left_open(void)
{
    return left_open;
}

unsigned faults_unwell(void)
{
    return unwell;
}
