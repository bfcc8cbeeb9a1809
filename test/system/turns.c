/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One program signs without a pause: another one that waits for the card gets its turn. */
#include "p11.h"

#include <pthread.h>
#include <stdatomic.h>

/* On a busy machine the other program may be late for a pause, and waits for a turn more. */
enum { ROUNDS = 3, ROUNDS_MAX = 6, TURN_S = 3, GRACE_S = 2 };

static atomic_bool stop;
static atomic_uint signatures;

static void *sign_without_pause(void *argument)
{
    const struct p11_login *login = argument;
    while (!atomic_load(&stop)) {
        OK(p11_sign(login));
        atomic_fetch_add(&signatures, 1);
    }
    return NULL;
}

int main(void)
{
    struct p11_login login;
    pthread_t signer;
    watchdog(120, "turns");
    p11_load(NULL);
    p11_expect_card(0, NULL);
    p11_initialize(NULL);
    p11_log_in(&login, AUTH_SLOT(0), AUTH_PIN);
    other_program_start();
    other_program("connect");
    EXPECT(pthread_create(&signer, NULL, sign_without_pause, &login) == 0, "no thread");
    unsigned in_time = 0;
    for (int round = 0; round < ROUNDS_MAX && in_time < ROUNDS; round++) {
        sleep_ms(300);
        double start = seconds_now();
        other_program("begin");
        in_time += seconds_now() - start < TURN_S + GRACE_S;
        unsigned before = atomic_load(&signatures);
        sleep_ms(200);
        EXPECT(atomic_load(&signatures) <= before + 1, "signed in the other's transaction");
        other_program("end leave");
    }
    EXPECT(in_time == ROUNDS, "%u turns in time", in_time);
    atomic_store(&stop, true);
    (void)pthread_join(signer, NULL);
    other_program("disconnect leave");
    other_program_stop();
    EXPECT(atomic_load(&signatures) > 10, "%u signatures", atomic_load(&signatures));
    OK(p11->C_Finalize(NULL));
    passed("a waiting program got its turn %d times beside %u signatures", ROUNDS,
           atomic_load(&signatures));
    return 0;
}
