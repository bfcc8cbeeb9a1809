/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The module where no thread can be made: listing, logging in, signing, waiting for slot events and
 * C_Finalize work all the same. This program's pthread_create() takes the place of the C library's,
 * also for the module, and refuses.
 */
#include "p11.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

static atomic_uint refused;
static atomic_bool none_left;

typedef int (*create_function)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

static int create_really(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                         void *argument)
{
    create_function create = NULL;
    *(void **)&create = dlsym(RTLD_NEXT, "pthread_create");
    EXPECT(create != NULL, "%s", dlerror());
    return create(thread, attributes, run, argument);
}

__attribute__((visibility("default"))) int pthread_create(pthread_t *thread,
                                                          const pthread_attr_t *attributes,
                                                          void *(*run)(void *), void *argument)
{
    if (!atomic_load(&none_left))
        return create_really(thread, attributes, run, argument);
    atomic_fetch_add(&refused, 1);
    return EAGAIN;
}

/* ---- Events ----------------------------------------------------------------------------- */

static atomic_uint events;

static void *wait_for_events(void *unused)
{
    CK_SLOT_ID slot;
    CK_RV rv;
    while ((rv = p11->C_WaitForSlotEvent(0, &slot, NULL)) == CKR_OK)
        atomic_fetch_add(&events, 1);
    EXPECT(rv == CKR_CRYPTOKI_NOT_INITIALIZED, "0x%lX", rv);
    return unused;
}

static void expect_events(unsigned count)
{
    for (int i = 0; i < 1000 && atomic_load(&events) < count; i++)
        sleep_ms(10);
    EXPECT(atomic_load(&events) == count, "%u events", atomic_load(&events));
}

/* Each of the two slots tells of the card's coming and going. */
static void waits_and_finalizes(void)
{
    pthread_t waiter;
    unsigned refused_before = atomic_load(&refused);
    EXPECT(create_really(&waiter, NULL, wait_for_events, NULL) == 0, "no thread");
    while (atomic_load(&refused) == refused_before)
        sleep_ms(1);
    card_remove(0);
    expect_events(2);
    card_insert(0);
    expect_events(4);
    double start = seconds_now();
    OK(p11->C_Finalize(NULL));
    EXPECT(seconds_now() - start < 5, "C_Finalize: %.1f s", seconds_now() - start);
    (void)pthread_join(waiter, NULL);
    passed("C_WaitForSlotEvent, and C_Finalize meanwhile");
}

/* ---- Signatures ------------------------------------------------------------------------- */

static void signs(CK_SLOT_ID slot, const char *pin)
{
    struct p11_login login;
    CK_TOKEN_INFO info;
    OK(p11->C_GetTokenInfo(slot, &info));
    p11_log_in(&login, slot, pin);
    OK(p11_sign(&login));
    OK(p11->C_CloseSession(login.session));
    passed("slot %lu: C_GetTokenInfo, C_Login, C_Sign", slot);
}

int main(void)
{
    CK_SLOT_ID slots[P11_SLOTS];
    watchdog(60, "no_threads");
    p11_load(NULL);
    p11_expect_card(0, NULL);
    atomic_store(&none_left, true);
    p11_initialize(NULL);
    EXPECT(p11_slots(slots) == 2, "slots");
    signs(AUTH_SLOT(0), AUTH_PIN);
    signs(SIGN_SLOT(0), SIGN_PIN);
    EXPECT(atomic_load(&refused) > 0, "no thread was asked for");
    waits_and_finalizes();
    EXPECT(card_tries_full(0), "a try is gone");
    return 0;
}
