/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Forks while a thread is inside a call that pcscd does not answer: a call of the module, or one of
 * the host's own into pcsclite. The fork does not wait for pcscd, and the child of the first kind
 * does not hang either.
 */
#include "p11.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <winscard.h>

enum { CHILDREN = 3, SECONDS = 20 };

/* What all forks together may take. Without pcscd's answer they would take for ever. */
static const double fork_seconds = 5;

static struct p11_login login;
static SCARDCONTEXT context;
static SCARDHANDLE card;

/* ---- What the thread is in the middle of ------------------------------------------------ */

static void *look(void *unused)
{
    CK_SLOT_INFO info;
    OK(p11->C_GetSlotInfo(AUTH_SLOT(0), &info));
    EXPECT(info.flags & CKF_TOKEN_PRESENT, "no token");
    return unused;
}

static void *sign(void *unused)
{
    OK(p11_sign(&login));
    return unused;
}

static void *initialize(void *unused)
{
    p11_initialize(NULL);
    return unused;
}

static void *host_establishes(void *unused)
{
    SCARDCONTEXT another;
    LONG rv = SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &another);
    EXPECT(rv == SCARD_S_SUCCESS, "%s", pcsc_stringify_error(rv));
    (void)SCardReleaseContext(another);
    return unused;
}

static void *host_transmits(void *unused)
{
    static const BYTE challenge[] = {0x00, 0x84, 0x00, 0x00, 0x08};
    BYTE answer[16];
    DWORD length = sizeof answer;
    LONG rv = SCardTransmit(card, SCARD_PCI_T1, challenge, sizeof challenge, NULL, answer, &length);
    EXPECT(rv == SCARD_S_SUCCESS, "%s", pcsc_stringify_error(rv));
    return unused;
}

/* ---- What its children do once pcscd answers again -------------------------------------- */

static void nothing(void)
{
}

static void uses_the_module(void)
{
    CK_SLOT_ID slots[P11_SLOTS];
    RETURNS(CKR_CRYPTOKI_NOT_INITIALIZED, p11->C_Finalize(NULL));
    p11_initialize(NULL);
    EXPECT(p11_slots(slots) == 2, "slots");
    OK(p11->C_Finalize(NULL));
}

/* A lock of the process inside pcsclite is held for good in this child: there are no readers. */
static void finds_no_reader(void)
{
    CK_SLOT_ID slots[P11_SLOTS];
    p11_initialize(NULL);
    EXPECT(p11_slots(slots) == 0, "slots");
    OK(p11->C_Finalize(NULL));
}

/* Most calls of the module begin with a look at the readers, in which pcsclite 2 holds such a lock;
 * C_Sign begins with its transaction. */
static void after_looking(void)
{
    if (PCSCLITE_VERSION_NUMBER[0] == '1')
        uses_the_module();
    else
        finds_no_reader();
}

/* ---- Forks ------------------------------------------------------------------------------ */

static pid_t make_child(void (*life)(void), int go_on[2])
{
    char byte;
    pid_t child = fork();
    if (child != 0)
        return child;
    watchdog(SECONDS, "a child");
    (void)close(go_on[1]);
    while (read(go_on[0], &byte, 1) > 0)
        continue;
    life();
    _exit(0);
}

/* Until the other threads are asleep: one of them is inside pcsclite then, and waits for pcscd. */
static void wait_for_the_call(void)
{
    double start = seconds_now();
    do {
        EXPECT(seconds_now() - start < SECONDS / 2, "the other thread waits for nothing");
        sleep_ms(100);
    } while (!process_others_sleep());
}

static void fork_during(const char *name, void *(*call)(void *), void (*life)(void))
{
    pthread_t thread;
    pid_t children[CHILDREN];
    int go_on[2];
    EXPECT(pipe(go_on) == 0, "no pipe");
    watchdog(SECONDS, name);
    pcscd_pause(true);
    EXPECT(pthread_create(&thread, NULL, call, NULL) == 0, "no thread");
    wait_for_the_call();
    double start = seconds_now();
    for (int i = 0; i < CHILDREN; i++)
        children[i] = make_child(life, go_on);
    double took = seconds_now() - start;
    pcscd_pause(false);
    EXPECT(took < fork_seconds, "%s: %d forks took %.1f s", name, CHILDREN, took);
    (void)pthread_join(thread, NULL);
    (void)close(go_on[0]);
    (void)close(go_on[1]);
    for (int i = 0; i < CHILDREN; i++) {
        int status = 0;
        EXPECT(waitpid(children[i], &status, 0) == children[i], "no child");
        EXPECT(status == 0, "%s: child %d: status 0x%X", name, i, (unsigned)status);
    }
    passed("%d forks during %s: %.3f s", CHILDREN, name, took);
}

static void connect_host(void)
{
    DWORD protocol;
    LONG rv = SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &context);
    if (rv == SCARD_S_SUCCESS)
        rv = SCardConnect(context, "Virtual PCD 00 00", SCARD_SHARE_SHARED,
                          SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1, &card, &protocol);
    EXPECT(rv == SCARD_S_SUCCESS, "%s", pcsc_stringify_error(rv));
}

int main(void)
{
    p11_load(NULL);
    p11_expect_card(0, NULL);
    connect_host();
    fork_during("C_Initialize", initialize, finds_no_reader);
    p11_log_in(&login, AUTH_SLOT(0), AUTH_PIN);
    fork_during("C_GetSlotInfo", look, after_looking);
    fork_during("C_Sign", sign, uses_the_module);
    fork_during("the host's SCardEstablishContext", host_establishes, nothing);
    fork_during("the host's SCardTransmit", host_transmits, nothing);
    OK(p11_sign(&login));
    OK(p11->C_Finalize(NULL));
    (void)SCardReleaseContext(context);
    EXPECT(card_tries_full(0), "a try is gone");
    return 0;
}
